//! `KEY=value` lines, as in os-release, `/etc/default/*`, `/etc/sysconfig/*`.

/// The value of the last assignment to a key, without its quotes.
pub(crate) fn get(text: &str, key: &str) -> Option<String> {
    all(text).filter(|(name, _)| *name == key).last().map(|(_, value)| unquoted(value).into())
}

/// All assignments, values as they are written.
pub(crate) fn all(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(assignment)
}

/// Sets a key: its last assignment gets the value, or a line is added. The value is quoted if a
/// shell would otherwise break it.
pub(crate) fn set(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key}={}", quoted(value));
    let last = text
        .lines()
        .enumerate()
        .filter(|(_, line)| assignment(line).is_some_and(|(name, _)| name == key))
        .last();
    let Some((number, _)) = last else { return appended(text, &line) };
    text.split_inclusive('\n')
        .enumerate()
        .map(|(at, old)| if at == number { format!("{line}\n") } else { old.into() })
        .collect()
}

/// Without the assignments to some keys.
pub(crate) fn without(text: &str, drop: impl Fn(&str) -> bool) -> String {
    text.split_inclusive('\n')
        .filter(|line| !assignment(line).is_some_and(|(name, _)| drop(name)))
        .collect()
}

/// A text with a line more.
pub(crate) fn appended(text: &str, line: &str) -> String {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{newline}{line}\n")
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once('=')?;
    let key = key.strip_prefix("export ").unwrap_or(key).trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!key.is_empty() && key.bytes().all(is_name)).then(|| (key, value.trim()))
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}

fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:,@%+-".contains(&byte);
    if value.bytes().all(is_plain) { value.into() } else { format!("\"{value}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_assignment_counts() {
        let text = "# A=0\nA=1\nexport A=\"two words\"\nB='x'\n";
        assert_eq!(get(text, "A").as_deref(), Some("two words"));
        assert_eq!(get(text, "B").as_deref(), Some("x"));
        assert_eq!(get(text, "C"), None);
    }

    #[test]
    fn setting_changes_one_line() {
        assert_eq!(set("A=1\n# c\nB=2", "B", "two words"), "A=1\n# c\nB=\"two words\"\n");
        assert_eq!(set("A=1", "B", "2"), "A=1\nB=2\n");
        assert_eq!(set("", "B", ""), "B=\n");
    }

    #[test]
    fn dropping_leaves_comments() {
        assert_eq!(
            without("# HWADDR=x\nHWADDR=y\nNAME=z\n", |key| key == "HWADDR"),
            "# HWADDR=x\nNAME=z\n"
        );
    }
}
