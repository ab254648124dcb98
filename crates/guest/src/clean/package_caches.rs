//! What package managers can fetch again.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/cache/apt/archives/*.deb",
    "/var/cache/apt/archives/partial/*",
    "/var/cache/apt/*.bin",
    "/var/lib/apt/lists/*",
    "/var/cache/debconf/*-old",
    "/var/lib/dpkg/*-old",
    "/var/cache/yum/*",
    "/var/cache/dnf/*",
    "/var/cache/libdnf5/*",
    "/var/cache/zypp/*",
    "/var/cache/PackageKit/*",
    "/var/cache/pacman/pkg/*",
    "/var/cache/apk/*",
    "/var/lib/rpm/__db.*",
    "/var/lib/yum/uuid",
    "/var/cache/ldconfig/aux-cache",
    "/var/cache/man/*",
];

/// See [`Operation::summary`].
pub(crate) struct PackageCaches;

impl Operation for PackageCaches {
    fn name(&self) -> &'static str {
        "package_caches"
    }

    fn summary(&self) -> &'static str {
        "Remove package lists, downloaded packages and rpm's region files"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
