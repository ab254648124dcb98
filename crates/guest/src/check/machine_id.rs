//! The machine-id, from which DHCP identifiers are derived: two clones with one get one address.

use super::{Check, Outcome, Severity};
use crate::{Guest, Init, Result};
const MACHINE_ID: &str = "/etc/machine-id";

const DBUS: &str = "/var/lib/dbus/machine-id";

/// See [`Check::title`].
pub(super) struct MachineId;

impl Check for MachineId {
    fn id(&self) -> &'static str {
        "N11"
    }

    fn title(&self) -> &'static str {
        "The machine-id is empty, and D-Bus has no other"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: machine_id"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let id = guest.root.text(MACHINE_ID)?;
        let is_blank = matches!(id.trim(), "" | "uninitialized");
        let mut problems = Vec::new();
        if !is_blank {
            problems.push(format!("{MACHINE_ID} is set"));
        }
        // An older systemd cannot make the file where the root is still read-only.
        if guest.os.init == Init::Systemd && !guest.root.exists(MACHINE_ID)? {
            problems.push(format!("{MACHINE_ID} is missing"));
        }
        let dbus = guest.root.link_metadata(DBUS)?;
        let is_link = guest.root.read_link(DBUS)?.is_some();
        if dbus.is_some_and(|found| found.size > 0) && !is_link {
            problems.push(format!("{DBUS} is a file of its own"));
        }
        Ok(Outcome::from_problems(problems))
    }
}
