//! Finding the guest's root among its partitions, and mounting the whole tree.

use std::fs;
use std::path::Path;

use crate::devices::{self, Device};
use crate::failure::{Failure, Result};
use crate::fstab;
use crate::mounts::{Mounts, resolved};

/// Where the guest's root is mounted.
pub(crate) const PLACE: &str = "/guest";

/// File systems that a root may be on.
const KINDS: &[&str] = &["ext4", "xfs", "btrfs"];

/// The names that distributions give the btrfs subvolume of their root: openSUSE's is the default
/// one, Fedora's, Ubuntu's, Debian's.
const SUBVOLUMES: &[Option<&str>] = &[None, Some("root"), Some("@"), Some("@rootfs")];

/// Mounts the root for changes, and below it what its `fstab` mounts from the same disk.
pub(crate) fn mount() -> Result<Mounts> {
    fs::create_dir_all(PLACE).map_err(Failure::doing(PLACE))?;
    let devices = devices::all()?;
    let mut mounts = root(&devices)?;
    mounts.make_writable(Path::new(PLACE))?;
    for entry in fstab::below_root(&fstab_text()) {
        let Some(device) = entry.device(&devices) else { continue };
        if device.superblock.is_mountable() {
            let subvolume = entry.subvolume.as_deref();
            mounts.open_below(Path::new(PLACE), &entry.place, device, subvolume)?;
        }
    }
    Ok(mounts)
}

fn root(devices: &[Device]) -> Result<Mounts> {
    for device in devices.iter().filter(|device| KINDS.contains(&device.superblock.kind)) {
        let subvolumes = if device.superblock.kind == "btrfs" { SUBVOLUMES } else { &[None] };
        for subvolume in subvolumes {
            let mut mounts = Mounts::default();
            // A subvolume of that name may not be there; a damaged file system is told below.
            match mounts.look(device, Path::new(PLACE), *subvolume) {
                Ok(()) if is_root(Path::new(PLACE)) => return Ok(mounts),
                Ok(()) => mounts.close()?,
                Err(why) => eprintln!("tintype-init: {why}"),
            }
        }
    }
    Err(Failure(none_found(devices)))
}

/// A root has `/etc`, and says which system it is, or what it mounts.
fn is_root(place: &Path) -> bool {
    ["etc/os-release", "usr/lib/os-release", "etc/fstab"]
        .iter()
        .any(|file| resolved(place, Path::new(file)).is_ok())
        && place.join("etc").is_dir()
}

fn fstab_text() -> String {
    resolved(Path::new(PLACE), Path::new("etc/fstab"))
        .ok()
        .and_then(|path| fs::read(path).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn none_found(devices: &[Device]) -> String {
    let held: Vec<String> = devices
        .iter()
        .map(|device| format!("{} {}", device.path.display(), device.superblock.kind))
        .collect();
    let hint = |kind: &str| devices.iter().any(|device| device.superblock.kind == kind);
    let why = if hint("LVM2_member") {
        "; a root on LVM cannot be edited yet"
    } else if hint("crypto_LUKS") {
        "; an encrypted root cannot be edited"
    } else {
        ""
    };
    match held.as_slice() {
        [] => "the disk holds no partition and no file system".into(),
        held => format!("none of the disk's file systems is a root ({}){why}", held.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::superblock::Superblock;

    #[test]
    fn a_root_on_lvm_is_said_to_be_one() {
        let superblock = Superblock { kind: "LVM2_member", ..Superblock::default() };
        let device = Device {
            path: "/dev/vda2".into(),
            superblock,
            number: Some(2),
            partition_label: String::new(),
        };
        let said = none_found(&[device]);
        assert!(said.contains("/dev/vda2 LVM2_member") && said.contains("on LVM"), "{said}");
        assert!(none_found(&[]).contains("no partition"));
    }
}
