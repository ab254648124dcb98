//! GRUB's menu.

use super::{Check, Outcome, Severity};
use crate::system::boot::GRUB;
use crate::{Guest, Result};
/// In seconds.
const LIMIT: i64 = 5;

/// See [`Check::title`].
pub(super) struct BootMenu;

impl Check for BootMenu {
    fn id(&self) -> &'static str {
        "B4"
    }

    fn title(&self) -> &'static str {
        "The boot menu does not hold up the boot"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "set GRUB_TIMEOUT to 5 or less and remove GRUB's password"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        for pattern in GRUB {
            for path in guest.root.glob(pattern)? {
                let text = guest.root.text(&path)?;
                problems.extend(problem(&text).map(|what| format!("{}: {what}", path.display())));
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}

fn problem(text: &str) -> Option<String> {
    let password = |line: &str| line.starts_with("password") || line.starts_with("set superusers=");
    if text.lines().map(str::trim).any(password) {
        return Some("the menu asks for a password".into());
    }
    // The value for a menu after a failed boot (30 s on Debian) is in a condition, and indented.
    let timeout = |line: &str| line.strip_prefix("set timeout=")?.trim().parse::<i64>().ok();
    let timeout =
        text.lines().filter_map(timeout).find(|seconds| !(0..=LIMIT).contains(seconds))?;
    Some(match timeout {
        ..0 => "the menu waits for ever".into(),
        seconds => format!("the menu waits {seconds} s"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_endless_menu_is_told() {
        assert_eq!(problem("set timeout=5\n  set timeout=30\n"), None);
        assert_eq!(problem("set timeout=60\n").unwrap(), "the menu waits 60 s");
        assert_eq!(problem("set timeout=-1\n").unwrap(), "the menu waits for ever");
        assert!(problem("set superusers=\"root\"\n").is_some());
    }
}
