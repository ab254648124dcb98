//! Files for the moment.

use super::{Cleaning, Operation};
use crate::Result;

/// See [`Operation::summary`].
pub(crate) struct TmpFiles;

impl Operation for TmpFiles {
    fn name(&self) -> &'static str {
        "tmp_files"
    }

    fn summary(&self) -> &'static str {
        "Empty the temporary directories"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        cleaning.edit.remove_contents("/tmp")?;
        cleaning.edit.remove_contents("/var/tmp")
    }
}
