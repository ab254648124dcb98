//! What shells and tools remember of their users.

use super::{Cleaning, Operation};
use crate::Result;
use crate::system::homes::homes;

const FILES: &[&str] = &[
    ".*_history",
    ".history",
    ".sh_history",
    ".viminfo",
    ".lesshst",
    ".wget-hsts",
    ".nano_history",
    ".local/share/nano/search_history",
    ".local/share/fish/fish_history",
    ".local/share/recently-used.xbel",
    ".local/state/less",
    ".recently-used",
    ".zsh_sessions",
    ".bash_sessions",
    ".selected_editor",
    ".sudo_as_admin_successful",
];

/// See [`Operation::summary`].
pub(crate) struct Histories;

impl Operation for Histories {
    fn name(&self) -> &'static str {
        "histories"
    }

    fn summary(&self) -> &'static str {
        "Remove the histories of shells and tools"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for home in homes(cleaning.edit.root)? {
            for name in FILES {
                cleaning.edit.remove(&format!("{home}/{name}"))?;
            }
        }
        Ok(())
    }
}
