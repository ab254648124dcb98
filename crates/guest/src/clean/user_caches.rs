//! What programs keep for their users' convenience.

use super::{Cleaning, Operation};
use crate::Result;
use crate::system::homes::homes;

/// See [`Operation::summary`].
pub(super) struct UserCaches;

impl Operation for UserCaches {
    fn name(&self) -> &'static str {
        "user_caches"
    }

    fn summary(&self) -> &'static str {
        "Empty the caches in home directories"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for home in homes(cleaning.edit.root)? {
            cleaning.edit.remove_contents(&format!("{home}/.cache"))?;
            cleaning.edit.remove_contents(&format!("{home}/.local/share/Trash"))?;
        }
        Ok(())
    }
}
