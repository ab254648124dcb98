//! What cloud-init remembers of an instance: it would take a clone for it.

use super::{Cleaning, Operation};
use crate::Result;

/// What cloud-init writes outside of its directory, and what installers leave in its own: a seed of
/// the installed machine, and the order to leave its network alone.
const FILES: &[&str] = &[
    "/run/cloud-init",
    "/etc/sudoers.d/90-cloud-init-users",
    "/etc/ssh/sshd_config.d/50-cloud-init.conf",
    "/etc/cloud/ds-identify.cfg.old",
    "/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg",
    "/etc/cloud/cloud.cfg.d/90-installer-network.cfg",
    "/etc/cloud/cloud.cfg.d/99-installer.cfg",
    "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
    "/etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg",
];

/// See [`Operation::summary`].
pub(crate) struct CloudInit;

impl Operation for CloudInit {
    fn name(&self) -> &'static str {
        "cloud_init"
    }

    fn summary(&self) -> &'static str {
        "Make cloud-init see each clone as a new instance"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        cleaning.edit.remove_contents("/var/lib/cloud")?;
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
