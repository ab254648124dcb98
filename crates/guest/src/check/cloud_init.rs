//! Whether an instance is set up at all: its key, its name, its disk.

use super::{Check, Outcome, Severity};
use crate::system::cloud_init::{DISABLED, is_installed};
use crate::system::{boot, services};
use crate::{Guest, Init, Result};
const UNITS: &[&str] = &["cloud-init-local.service", "cloud-config.service", "cloud-final.service"];

/// See [`Check::title`].
pub(super) struct CloudInit;

impl Check for CloudInit {
    fn id(&self) -> &'static str {
        "C1"
    }

    fn title(&self) -> &'static str {
        "cloud-init is installed and runs at boot"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, cloud_init and services"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !is_installed(guest.root)? {
            return Ok(Outcome::Broken("cloud-init is not installed".into()));
        }
        let mut problems = Vec::new();
        if guest.root.exists(DISABLED)? {
            problems.push(format!("{DISABLED} forbids it"));
        }
        for line in boot::lines(guest.root)?.iter().filter(|line| line.has("cloud-init=disabled")) {
            problems.push(format!("{} says cloud-init=disabled", line.path.display()));
        }
        if guest.os.init == Init::Systemd {
            for unit in UNITS {
                let is_there = services::unit(guest.root, unit)?.is_some();
                if is_there && !services::is_enabled(guest.root, unit)? {
                    problems.push(format!("{unit} is not enabled"));
                }
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
