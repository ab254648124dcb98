//! The options of the image cache, with Glance's names and defaults.

use std::path::PathBuf;
use std::time::Duration;

use config::Config;

/// How Glance's paste pipelines with a cache are called: `caching`, `keystone+caching`,
/// `cachemanagement`, `keystone+cachemanagement`.
const FLAVORS: &[&str] = &["caching", "cachemanagement"];

/// Where the records of the cache are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// In the catalog's database, for all nodes.
    CentralizedDb,
    /// In a database beside the files.
    Sqlite,
    /// In extended attributes of the files.
    Xattr,
}

/// The image cache as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `image_cache_dir`.
    pub directory: PathBuf,
    /// `image_cache_max_size`, in bytes: the cache is pruned down to it.
    pub max_size: u64,
    /// `image_cache_driver`.
    pub driver: Driver,
    /// `image_cache_sqlite_db`: the file of the driver `sqlite`, in the cache's directory.
    pub sqlite_file: String,
    /// `image_cache_stall_time`: incomplete files that nobody has written to for so long go.
    pub stall_time: Duration,
    /// `cache_prefetcher_interval`: how often queued images are tried again.
    pub prefetch_interval: Duration,
    /// `worker_self_reference_url`: under which URL this node is known to others.
    pub node: Option<String>,
    /// Whether downloads fill the cache and are served from it: a flavor of `[paste_deploy]` with
    /// `caching` or `cachemanagement`. Without, images come in by the queue only.
    pub downloads: bool,
}

impl Settings {
    /// Reads them; `None` when no `image_cache_dir` is given. Errors: a value of the wrong kind, and
    /// what the driver or the flavor needs and is not given.
    pub fn from_config(config: &Config) -> config::Result<Option<Self>> {
        let options = config.default_section();
        let flavor: String = config.section("paste_deploy").or("flavor", String::new())?;
        let downloads = flavor.split('+').any(|part| FLAVORS.contains(&part.trim()));
        let directory = match downloads {
            true => Some(options.required("image_cache_dir")?),
            false => options.get("image_cache_dir")?,
        };
        let driver = driver(options.get::<String>("image_cache_driver")?).ok_or_else(|| {
            options.wrong("image_cache_driver", "expected centralized_db, sqlite or xattr")
        })?;
        let Some(directory) = directory else { return Ok(None) };
        let node = match driver {
            Driver::CentralizedDb => Some(options.required("worker_self_reference_url")?),
            Driver::Sqlite | Driver::Xattr => options.get("worker_self_reference_url")?,
        };
        Ok(Some(Self {
            directory,
            max_size: options.or("image_cache_max_size", 10 << 30)?,
            driver,
            sqlite_file: options.or("image_cache_sqlite_db", "cache.db".to_owned())?,
            stall_time: options.or("image_cache_stall_time", Duration::from_secs(86_400))?,
            prefetch_interval: options.or("cache_prefetcher_interval", Duration::from_secs(300))?,
            node,
            downloads,
        }))
    }
}

fn driver(name: Option<String>) -> Option<Driver> {
    match name.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("centralized_db") => Some(Driver::CentralizedDb),
        Some("sqlite") => Some(Driver::Sqlite),
        Some("xattr") => Some(Driver::Xattr),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> config::Result<Option<Settings>> {
        let mut config = Config::default();
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        Settings::from_config(&config)
    }

    #[test]
    fn there_is_a_cache_where_there_is_a_directory() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("[paste_deploy]\nflavor = keystone\n").unwrap(), None);
        let given = "image_cache_dir = /c\nworker_self_reference_url = http://n\n";
        let quiet = read(given).unwrap().unwrap();
        assert_eq!((quiet.downloads, quiet.driver), (false, Driver::CentralizedDb));
        let full = format!("{given}[paste_deploy]\nflavor = keystone+cachemanagement\n");
        assert!(read(&full).unwrap().unwrap().downloads);
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("[paste_deploy]\nflavor = keystone+caching\n", "image_cache_dir"),
            ("image_cache_dir = /c\n", "worker_self_reference_url"),
            ("image_cache_dir = /c\nimage_cache_driver = redis\n", "image_cache_driver"),
        ];
        for (text, option) in cases {
            assert!(read(text).unwrap_err().to_string().contains(option), "{text}");
        }
        assert!(read("image_cache_dir = /c\nimage_cache_driver = sqlite\n").unwrap().is_some());
    }
}
