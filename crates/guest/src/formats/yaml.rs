//! YAML as values: what cloud-init and netplan read.

use serde_json::Value;

/// Reads one document; a file with nothing in it is null. Expansion of aliases is bounded by the
/// parser.
///
/// # Errors
/// In words, with line and column.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|why| {
        let why = why.to_string();
        why.lines().next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloud_inits_own_files_are_understood() {
        let text = "#cloud-config\nusers:\n   - default\ndisable_root: true\n\
                    cloud_init_modules:\n - migrator\n - [ssh, always]\n\
                    system_info: {distro: debian, default_user: {name: debian, lock_passwd: True}}\n";
        let value = parse(text).unwrap();
        assert_eq!(value["disable_root"], true);
        assert_eq!(value["cloud_init_modules"][1][0], "ssh");
        assert_eq!(value["system_info"]["default_user"]["name"], "debian");
        assert_eq!(parse("# nothing\n").unwrap(), Value::Null);
        assert!(parse("a: [").is_err());
    }
}
