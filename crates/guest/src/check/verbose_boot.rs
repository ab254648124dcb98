//! What the kernel says at boot.

use super::{Check, Outcome, Severity};
use crate::prepare::verbose_boot::HIDING;
use crate::system::boot;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct VerboseBoot;

impl Check for VerboseBoot {
    fn id(&self) -> &'static str {
        "B2"
    }

    fn title(&self) -> &'static str {
        "The kernel does not hide what it does"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: verbose_boot"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let lines = boot::lines(guest.root)?;
        let mut problems = std::collections::BTreeSet::new();
        for line in &lines {
            for word in HIDING.iter().filter(|word| line.has(word)) {
                problems.insert(format!("{}: {word}", line.path.display()));
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
