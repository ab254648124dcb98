//! Who may read and write the files of accounts.

use super::{Check, Outcome, Severity};
use crate::{Guest, Result};
/// A path, the bits that it must not have, and those that it must.
const MODES: &[(&str, u32, u32)] = &[
    ("/etc/shadow", 0o137, 0),
    ("/etc/gshadow", 0o137, 0),
    ("/etc/passwd", 0o133, 0o444),
    ("/etc/group", 0o133, 0o444),
    ("/etc/sudoers", 0o022, 0),
    ("/tmp", 0, 0o1777),
    ("/var/tmp", 0, 0o1777),
];

/// See [`Check::title`].
pub(super) struct FileModes;

impl Check for FileModes {
    fn id(&self) -> &'static str {
        "S5"
    }

    fn title(&self) -> &'static str {
        "Password files and temporary directories have safe modes"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "chmod in the guest: 0640 for shadow, 0644 for passwd, 1777 for /tmp"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        for (path, forbidden, needed) in MODES {
            let Some(found) = guest.root.metadata(path)? else { continue };
            if found.mode & forbidden != 0 || found.mode & needed != *needed {
                problems.push(format!("{path} has mode {:04o}", found.mode));
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
