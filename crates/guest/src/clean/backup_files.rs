//! Copies that editors and package managers leave.

use super::{Cleaning, Operation};
use crate::Result;

/// See [`Operation::summary`].
pub(super) struct BackupFiles;

impl Operation for BackupFiles {
    fn name(&self) -> &'static str {
        "backup_files"
    }

    fn summary(&self) -> &'static str {
        "Remove editors' backup files below /etc, /root and /srv"
    }

    fn by_default(&self) -> bool {
        false
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for directory in ["/etc", "/root", "/srv"] {
            for entry in cleaning.edit.root.walk(directory)? {
                let name = entry.path.as_os_str().as_encoded_bytes();
                if name.ends_with(b"~") || name.ends_with(b".bak") || name.ends_with(b".swp") {
                    cleaning.edit.remove_path(&entry.path)?;
                }
            }
        }
        Ok(())
    }
}
