//! `[section]` and `key=value`, as in systemd's units and NetworkManager's keyfiles.

/// Each setting with its section, in the order of the file.
pub(crate) fn settings(text: &str) -> Vec<(&str, &str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else if let Some((key, value)) = line.split_once('=') {
            found.push((section, key.trim(), value.trim()));
        }
    }
    found
}

/// The last value of a key in a section.
pub(crate) fn get<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let wanted = |(found, name, _): &(&str, &str, &str)| *found == section && *name == key;
    settings(text).into_iter().rfind(wanted).map(|(_, _, value)| value)
}

/// All words of a key that may stand several times, such as `WantedBy=`.
pub(crate) fn words<'a>(text: &'a str, section: &str, key: &str) -> Vec<&'a str> {
    settings(text)
        .into_iter()
        .filter(|(found, name, _)| *found == section && *name == key)
        .flat_map(|(_, _, value)| value.split_whitespace())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_section() {
        let text = "[Match]\nName = eth0\n# Name=eth1\n[Network]\nDHCP=yes\nDHCP=no\n";
        assert_eq!(get(text, "Match", "Name"), Some("eth0"));
        assert_eq!(get(text, "Network", "DHCP"), Some("no"));
        assert_eq!(get(text, "Network", "Name"), None);
        assert_eq!(
            words("[Install]\nWantedBy=a b\nWantedBy=c", "Install", "WantedBy"),
            ["a", "b", "c"]
        );
    }
}
