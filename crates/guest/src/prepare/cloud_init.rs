//! cloud-init must be allowed to run.

use super::{Operation, Preparation};
use crate::Result;
use crate::system::boot::{self, Wish};
use crate::system::cloud_init::{DISABLED, is_installed};
/// On the kernel's command line it does what [`DISABLED`] does.
const WORD: &str = "cloud-init=disabled";

/// Files by which installers tell it to leave the network alone; the last is what its own
/// documentation proposes.
const NO_NETWORK: &[&str] = &[
    "/etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg",
    "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
];

/// See [`Operation::summary`].
pub(super) struct CloudInit;

impl Operation for CloudInit {
    fn name(&self) -> &'static str {
        "cloud_init"
    }

    fn summary(&self) -> &'static str {
        "Let cloud-init run at boot"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let edit = &mut preparation.edit;
        if !is_installed(edit.root)? {
            return Ok(());
        }
        edit.remove(DISABLED)?;
        if preparation.options.dhcp {
            NO_NETWORK.iter().try_for_each(|file| edit.remove(file))?;
        }
        boot::change(edit, Wish { remove: &[WORD], ..Wish::default() })
    }
}
