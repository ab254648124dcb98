//! Who hears the power button, by which a cloud stops an instance.

use super::{Check, Outcome, Severity};
use crate::prepare::packages::has_role;
use crate::system::services;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct PowerButton;

impl Check for PowerButton {
    fn id(&self) -> &'static str {
        "C13"
    }

    fn title(&self) -> &'static str {
        "An instance shuts down when its power button is pressed"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, with acpid"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let hears = has_role(guest.root, &guest.os, "acpid")?
            || services::unit(guest.root, "systemd-logind.service")?.is_some();
        let problem = (!hears).then(|| "neither acpid nor systemd-logind is there".to_owned());
        Ok(Outcome::from_problems(problem))
    }
}
