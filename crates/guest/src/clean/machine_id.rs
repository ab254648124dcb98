//! The identity of a machine, from which journals, DHCP identifiers and more are derived.

use super::{Cleaning, Operation};
use crate::{Init, Result};

/// Empty, never removed and never made here: systemd fills an empty one at boot, also where the
/// root cannot be written yet (`machine-id(5)`).
const MACHINE_ID: &str = "/etc/machine-id";

const DBUS: &str = "/var/lib/dbus/machine-id";

/// See [`Operation::summary`].
pub(crate) struct MachineId;

impl Operation for MachineId {
    fn name(&self) -> &'static str {
        "machine_id"
    }

    fn summary(&self) -> &'static str {
        "Empty the machine-id; each clone makes its own at boot"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        let root = cleaning.edit.root;
        let is_systemd = cleaning.os.init == Init::Systemd;
        if is_systemd || root.is_file(MACHINE_ID)? {
            cleaning.edit.write_new(MACHINE_ID, "", 0o444)?;
        }
        if root.link_metadata(DBUS)?.is_none() || root.read_link(DBUS)?.is_some() {
            return Ok(());
        }
        if is_systemd {
            cleaning.edit.symlink(MACHINE_ID, DBUS)
        } else {
            cleaning.edit.remove(DBUS)
        }
    }
}
