//! The agent through which a hypervisor freezes file systems and sets passwords.

use super::{Check, Outcome, Severity};
use crate::prepare::packages::has_role;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct GuestAgent;

impl Check for GuestAgent {
    fn id(&self) -> &'static str {
        "C12"
    }

    fn title(&self) -> &'static str {
        "The QEMU guest agent is installed"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, with qemu-guest-agent"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let problem = (!has_role(guest.root, &guest.os, "qemu-guest-agent")?)
            .then(|| "qemu-guest-agent is not installed".to_owned());
        Ok(Outcome::from_problems(problem))
    }
}
