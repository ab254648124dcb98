//! cloud-init's settings: a file that it cannot read is left out without a word.

use super::{Check, Outcome, Severity};
use crate::system::cloud_init;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct CloudConfigSyntax;

impl Check for CloudConfigSyntax {
    fn id(&self) -> &'static str {
        "C6"
    }

    fn title(&self) -> &'static str {
        "cloud-init can read all its settings"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "correct the file"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !cloud_init::is_installed(guest.root)? {
            return Ok(Outcome::Irrelevant("cloud-init is not installed"));
        }
        Ok(Outcome::from_problems(cloud_init::settings(guest.root)?.1))
    }
}
