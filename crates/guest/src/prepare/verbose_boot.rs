//! A boot that says what it does: its log is all there is when an instance does not come up.

use super::{Operation, Preparation};
use crate::Result;
use crate::system::boot::{self, Wish};
/// What hides the kernel's words: behind a picture, or entirely.
pub(crate) const HIDING: &[&str] = &["rhgb", "quiet", "splash", "splash=silent"];

/// See [`Operation::summary`].
pub(super) struct VerboseBoot;

impl Operation for VerboseBoot {
    fn name(&self) -> &'static str {
        "verbose_boot"
    }

    fn summary(&self) -> &'static str {
        "Let the kernel say what it does at boot"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        if !preparation.options.verbose_boot {
            return Ok(());
        }
        boot::change(&mut preparation.edit, Wish { remove: HIDING, ..Wish::default() })
    }
}
