//! Accounts that ask for no password.

use super::{Check, Outcome, Severity};
use crate::formats::accounts::passwords;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct EmptyPasswords;

impl Check for EmptyPasswords {
    fn id(&self) -> &'static str {
        "I3"
    }

    fn title(&self) -> &'static str {
        "No account has an empty password"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "lock it: passwd -l NAME in the guest"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let shadow = guest.root.text("/etc/shadow")?;
        let empty = passwords(&shadow).filter(|(_, password)| password.is_empty());
        Ok(Outcome::from_problems(empty.map(|(name, _)| format!("{name} has no password"))))
    }
}
