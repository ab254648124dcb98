//! Names under which a machine reaches its storage.

use super::{Cleaning, Operation};
use crate::{Family, Result};

/// open-iscsi makes a name when its file says so (Debian), or when there is none (Red Hat).
const INITIATOR: &str = "/etc/iscsi/initiatorname.iscsi";

const GENERATE: &str = "GenerateName=yes\n";

const FILES: &[&str] = &[
    "/etc/iscsi/nodes/*",
    "/etc/iscsi/send_targets/*",
    "/var/lib/iscsi/nodes/*",
    "/var/lib/iscsi/send_targets/*",
    "/etc/nvme/hostnqn",
    "/etc/nvme/hostid",
    "/etc/multipath/wwids",
    "/etc/multipath/bindings",
    "/etc/multipath/prkeys",
    "/etc/lvm/backup/*",
    "/etc/lvm/archive/*",
    "/etc/lvm/cache/.cache",
    "/etc/lvm/devices/system.devices",
    "/etc/lvm/devices/backup/*",
    "/etc/blkid.tab*",
    "/etc/blkid/blkid.tab*",
];

/// See [`Operation::summary`].
pub(crate) struct StorageIds;

impl Operation for StorageIds {
    fn name(&self) -> &'static str {
        "storage_ids"
    }

    fn summary(&self) -> &'static str {
        "Remove iSCSI, NVMe and multipath identities, and LVM's copies of metadata"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        match cleaning.os.family {
            Family::Debian => cleaning.edit.rewrite(INITIATOR, |_| GENERATE.into())?,
            _ => cleaning.edit.remove(INITIATOR)?,
        }
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
