//! `sshd_config(5)`: of several settings the first counts, and those after `Match` are conditional.

/// The value of a setting for everybody.
pub(crate) fn get<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    unconditional(text).find_map(|line| setting(line, key))
}

/// Gives a setting a value for everybody.
pub(crate) fn set(text: &str, key: &str, value: &str) -> String {
    if get(text, key) == Some(value) {
        return text.into();
    }
    let line = format!("{key} {value}\n");
    if get(text, key).is_none() {
        return format!("{line}{text}");
    }
    let mut is_done = false;
    let mut replaced = |old: &str| {
        let is_it = !is_done && setting(old, key).is_some();
        is_done |= is_it;
        if is_it { line.clone() } else { old.to_owned() }
    };
    text.split_inclusive('\n').map(&mut replaced).collect()
}

/// The patterns of the files that are read in the place of an `Include`, with the settings before
/// it still counting first.
pub(crate) fn includes(text: &str) -> Vec<&str> {
    unconditional(text)
        .filter_map(|line| setting(line, "Include"))
        .flat_map(str::split_whitespace)
        .collect()
}

fn unconditional(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| setting(line, "Match").is_none())
}

fn setting<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let line = line.trim();
    let (name, value) = line.split_once(|byte: char| byte.is_whitespace() || byte == '=')?;
    name.eq_ignore_ascii_case(key).then(|| value.trim_start_matches(['=', ' ', '\t']).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_conditional_is_left_alone() {
        let text = "#PermitRootLogin no\nUsePAM yes\nMatch User ann\n  PermitRootLogin no\n";
        assert_eq!(get(text, "PermitRootLogin"), None);
        assert_eq!(set(text, "PermitRootLogin", "yes"), format!("PermitRootLogin yes\n{text}"));
    }

    #[test]
    fn the_first_setting_is_replaced() {
        let text = "permitrootlogin no\nPermitRootLogin yes\n";
        assert_eq!(get(text, "PermitRootLogin"), Some("no"));
        assert_eq!(
            set(text, "PermitRootLogin", "yes"),
            "PermitRootLogin yes\nPermitRootLogin yes\n"
        );
        assert_eq!(
            includes("Include /etc/ssh/sshd_config.d/*.conf\n"),
            ["/etc/ssh/sshd_config.d/*.conf"]
        );
    }
}
