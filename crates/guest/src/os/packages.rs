//! What installs packages, and which ones are there.

use serde::{Deserialize, Serialize};

use crate::{PackageManager, Result, Root};

use super::Os;

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, with the distribution's revision.
    pub version: String,
}

/// In the order of preference: a system with dnf has yum as another name of it.
const MANAGERS: &[(&str, PackageManager)] = &[
    ("/usr/bin/apt-get", PackageManager::Apt),
    ("/usr/bin/dnf", PackageManager::Dnf),
    ("/usr/bin/yum", PackageManager::Yum),
    ("/usr/bin/zypper", PackageManager::Zypper),
    ("/sbin/apk", PackageManager::Apk),
    ("/usr/bin/pacman", PackageManager::Pacman),
];

const DPKG_STATUS: &str = "/var/lib/dpkg/status";

pub(super) fn manager(root: &Root) -> Result<Option<PackageManager>> {
    for (program, manager) in MANAGERS {
        if root.is_file(program)? {
            return Ok(Some(*manager));
        }
    }
    Ok(None)
}

pub(super) fn installed(root: &Root) -> Result<Vec<Package>> {
    let mut packages: Vec<Package> =
        root.text(DPKG_STATUS)?.split("\n\n").filter_map(package).collect();
    // Distributions without a status file in one piece (Debian's distroless and others).
    for path in root.glob("/var/lib/dpkg/status.d/*")? {
        packages.extend(package(&root.text(path)?));
    }
    Ok(packages)
}

impl Os {
    /// Whether a package is installed, as far as the list is known.
    pub fn has_package(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }
}

/// A stanza of dpkg's status file: `deb-control(5)`.
fn package(stanza: &str) -> Option<Package> {
    let field = |name: &str| {
        stanza.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    let installed = field("Status").is_none_or(|status| status.ends_with(" installed"));
    installed.then(|| {
        Some(Package { name: field("Package")?.into(), version: field("Version")?.into() })
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_packages_do_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        let status = "Package: acpid\nStatus: install ok installed\nVersion: 1:2.0.34-1\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
        root.write(DPKG_STATUS, status).unwrap();
        let packages = installed(&root).unwrap();
        assert_eq!(packages, [Package { name: "acpid".into(), version: "1:2.0.34-1".into() }]);
    }
}
