//! What an ordinary user needs to be root in a namespace: subordinate user and group ids.

use std::env;
use std::fs;

use crate::{Error, Result};

/// Files that give users ranges of ids: `NAME:FIRST:COUNT` or `UID:FIRST:COUNT`, subuid(5).
const FILES: [&str; 2] = ["/etc/subuid", "/etc/subgid"];

/// A system has at most this many ids of its own.
const ENOUGH: u64 = 65_536;

/// Makes sure that mmdebstrap can run as this user.
///
/// # Errors
/// [`Error::NoSubordinateIds`] with the command that gives some.
pub(super) fn require() -> Result<()> {
    let uid = rustix::process::geteuid();
    if uid.is_root() {
        return Ok(());
    }
    let name = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_default();
    let number = uid.as_raw().to_string();
    let given = |file: &&str| {
        let ranges = fs::read_to_string(file).unwrap_or_default();
        has_range(&ranges, &name) || has_range(&ranges, &number)
    };
    if FILES.iter().all(given) {
        return Ok(());
    }
    Err(Error::NoSubordinateIds { user: if name.is_empty() { number } else { name } })
}

fn has_range(ranges: &str, user: &str) -> bool {
    ranges.lines().any(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        matches!(fields[..], [name, _, count] if name == user
            && count.parse::<u64>().is_ok_and(|count| count >= ENOUGH))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_needs_a_range_of_its_own_that_is_large_enough() {
        let ranges = "ann:100000:65536\nbob:165536:1000\n1002:200000:65536\n";
        for (user, expected) in [("ann", true), ("bob", false), ("1002", true), ("eve", false)] {
            assert_eq!(has_range(ranges, user), expected, "{user}");
        }
    }
}
