//! `[healthcheck]`: when a load balancer is to look elsewhere (oslo.middleware's `healthcheck`).

use std::path::PathBuf;

use config::Config;

/// Where Glance's pipeline looks unless it is told otherwise.
const FILE: &str = "/etc/glance/healthcheck_disable";

/// When a load balancer is to look elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// `detailed`: each check is told with its kind.
    pub detailed: bool,
    /// While one of these is there, the service says that it is not well: `disable_by_file_path`,
    /// and those of `disable_by_file_paths` that are for the service's port.
    pub disabled_by: Vec<PathBuf>,
    /// While one of these is missing, the same: `enable_by_file_paths`.
    pub enabled_by: Vec<PathBuf>,
}

impl Health {
    /// Reads `[healthcheck]`, of a service that listens on `bind_port`. Errors: a value of the wrong
    /// kind.
    pub fn from_config(config: &Config, configured: bool) -> config::Result<Self> {
        let options = config.section("healthcheck");
        let default = if configured { vec!["disable_by_file".to_owned()] } else { Vec::new() };
        let backends: Vec<String> = options.or("backends", default)?;
        let has = |name: &str| backends.iter().any(|backend| backend == name);
        let mut disabled_by = Vec::new();
        if has("disable_by_file") {
            disabled_by.push(options.or("disable_by_file_path", PathBuf::from(FILE))?);
        }
        let by_port: Vec<String> = options.or("disable_by_file_paths", Vec::new())?;
        if has("disable_by_files_ports") {
            let port = config.default_section().or("bind_port", 9292_u16)?.to_string();
            let paths = by_port.iter().filter_map(|entry| entry.split_once(':'));
            disabled_by.extend(paths.filter(|(of, _)| *of == port).map(|(_, path)| path.into()));
        }
        let paths: Vec<PathBuf> = options.or("enable_by_file_paths", Vec::new())?;
        let enabled_by = if has("enable_by_files") { paths } else { Vec::new() };
        Ok(Self { detailed: options.or("detailed", false)?, disabled_by, enabled_by })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Health {
        let mut config = Config::default();
        let text = format!("[healthcheck]\n{text}");
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        Health::from_config(&config, true).unwrap()
    }

    #[test]
    fn each_backend_has_its_files() {
        assert_eq!(read("").disabled_by, [PathBuf::from(FILE)]);
        assert_eq!(read("disable_by_file_path = /a").disabled_by, [PathBuf::from("/a")]);
        let ports = "backends = disable_by_files_ports\ndisable_by_file_paths = 1:/a,9292:/b";
        assert_eq!(read(ports).disabled_by, [PathBuf::from("/b")]);
        let files = read("backends = enable_by_files\nenable_by_file_paths = /a,/b");
        assert_eq!(files.enabled_by.len(), 2);
        assert!(files.disabled_by.is_empty());
        assert_eq!(Health::from_config(&Config::default(), false).unwrap(), Health::default());
    }
}
