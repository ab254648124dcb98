//! The partitions of the guest's disk, as the kernel found them.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::superblock::Superblock;

/// A partition, or a whole disk that has none.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// Below `/dev`.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) superblock: Superblock,
    /// The partition's number; a disk has none.
    pub(crate) number: Option<u32>,
    /// GPT's name of the partition; empty where there is none.
    pub(crate) partition_label: String,
}

/// Every partition that holds something known, by number.
pub(crate) fn all() -> Result<Vec<Device>> {
    let mut names = Vec::new();
    for entry in fs::read_dir("/sys/class/block").map_err(Failure::doing("/sys/class/block"))? {
        let entry = entry.map_err(Failure::doing("/sys/class/block"))?;
        // Virtio disks only: the RAM disks and loops of some kernels are none of the guest's.
        if let Ok(name) = entry.file_name().into_string()
            && name.starts_with("vd")
        {
            names.push(name);
        }
    }
    let mut devices = Vec::new();
    for name in &names {
        devices.extend(device(name)?);
    }
    devices.sort_by_key(|device| device.number);
    Ok(devices)
}

fn device(name: &str) -> Result<Option<Device>> {
    let path = PathBuf::from("/dev").join(name);
    let Some(superblock) = Superblock::of(&path)? else { return Ok(None) };
    let about = fs::read_to_string(format!("/sys/class/block/{name}/uevent")).unwrap_or_default();
    let value = |key: &str| about.lines().find_map(|line| line.strip_prefix(key));
    Ok(Some(Device {
        path,
        superblock,
        number: value("PARTN=").and_then(|number| number.parse().ok()),
        partition_label: value("PARTNAME=").unwrap_or_default().to_owned(),
    }))
}
