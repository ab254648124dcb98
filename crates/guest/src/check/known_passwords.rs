//! Passwords that the image brings along: whoever made it knows them.

use super::{Check, Outcome, Severity};
use crate::formats::accounts::{is_locked, passwords};
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct KnownPasswords;

impl Check for KnownPasswords {
    fn id(&self) -> &'static str {
        "I11"
    }

    fn title(&self) -> &'static str {
        "No account has a password"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "clean, with also = [\"passwords\"]; leave it if it was asked for"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let shadow = guest.root.text("/etc/shadow")?;
        let known =
            passwords(&shadow).filter(|(_, password)| !password.is_empty() && !is_locked(password));
        Ok(Outcome::from_problems(known.map(|(name, _)| format!("{name} has a password"))))
    }
}
