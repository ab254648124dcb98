//! Copies of the account files from before their last change.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    "/etc/security/opasswd",
    "/etc/security/opasswd.old",
];

/// See [`Operation::summary`].
pub(crate) struct PasswordBackups;

impl Operation for PasswordBackups {
    fn name(&self) -> &'static str {
        "password_backups"
    }

    fn summary(&self) -> &'static str {
        "Remove backups of the account files"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
