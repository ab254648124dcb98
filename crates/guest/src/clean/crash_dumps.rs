//! Memory of programs and kernels that crashed, with all their secrets.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/crash/*",
    "/var/spool/abrt/*",
    "/var/spool/abrt-upload/*",
    "/var/lib/abrt/*",
    "/var/tmp/abrt/*",
    "/var/lib/systemd/coredump/*",
    "/var/lib/systemd/pstore/*",
    "/var/lib/apport/coredump/*",
    "/core",
    "/core.*",
    "/root/core",
    "/root/core.*",
];

/// See [`Operation::summary`].
pub(crate) struct CrashDumps;

impl Operation for CrashDumps {
    fn name(&self) -> &'static str {
        "crash_dumps"
    }

    fn summary(&self) -> &'static str {
        "Remove crash dumps"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
