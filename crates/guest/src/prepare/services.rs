//! What must start by itself in an instance.

use super::{Operation, Preparation};
use crate::Result;
use crate::system::services;
/// By the names of both families, and of cloud-init before and since 24.3.
const UNITS: &[&str] = &[
    "cloud-init-local.service",
    "cloud-init-main.service",
    "cloud-init-network.service",
    "cloud-init.service",
    "cloud-config.service",
    "cloud-final.service",
    "ssh.service",
    "sshd.service",
    "qemu-guest-agent.service",
    "acpid.service",
];

/// See [`Operation::summary`].
pub(super) struct Services;

impl Operation for Services {
    fn name(&self) -> &'static str {
        "services"
    }

    fn summary(&self) -> &'static str {
        "Enable cloud-init, SSH and the guest agent at boot"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let edit = &mut preparation.edit;
        // Ubuntu starts SSH when somebody connects.
        let by_socket = services::is_wanted(edit.root, "ssh.socket")?;
        for unit in UNITS {
            let is_ssh = unit.starts_with("ssh");
            // One of the two names is a link to the other.
            let is_alias = edit.root.read_link(format!("/etc/systemd/system/{unit}"))?.is_some();
            if !(is_alias || is_ssh && by_socket) {
                services::enable(edit, unit)?;
            }
        }
        Ok(())
    }
}
