//! `*` and `?`, as in a shell.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether a part of a path has to be looked up in a listing.
pub(super) fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// Whether a pattern matches the whole of a name.
pub(super) fn matches(pattern: &str, name: &[u8]) -> bool {
    let pattern = pattern.as_bytes();
    let (mut at, mut seen) = (0, 0);
    // The last star, and the byte of the name from which what follows it was tried.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|&byte| byte == b'?' || byte == name[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((back, tried)) = star {
            star = Some((back, tried + 1));
            at = back + 1;
            seen = tried + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// Whether a pattern matches a path or a directory above it.
pub(crate) fn matches_path(pattern: &str, path: &Path) -> bool {
    let mut names = path.iter().filter(|name| *name != "/");
    pattern
        .split('/')
        .filter(|part| !part.is_empty())
        .all(|part| names.next().is_some_and(|name| matches(part, name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a*b*c", "aXbXbYc", true),
            ("?.log", "x.log", true),
            ("?.log", ".log", false),
            ("ifcfg-*", "ifcfg-", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_covers_what_is_below() {
        for (pattern, path, expected) in [
            ("/home/*/.ssh", "/home/ann/.ssh/authorized_keys", true),
            ("home/ann", "/home/ann", true),
            ("/home/ann/.ssh", "/home/ann", false),
            ("/home/ann", "/home/anna", false),
        ] {
            assert_eq!(matches_path(pattern, Path::new(path)), expected, "{pattern} {path}");
        }
    }
}
