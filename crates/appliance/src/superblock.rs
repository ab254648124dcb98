//! What a partition holds, read off its first bytes: the kind, the UUID and the label by which
//! `fstab` names it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::failure::{Failure, Result};

/// As far as the last of the magics, btrfs's, and its label.
const LENGTH: u64 = 0x1_0400;

/// What a partition holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// The kernel's name of the file system, or what else it is.
    pub(crate) kind: &'static str,
    /// The UUID as `blkid` writes it; empty where there is none.
    pub(crate) uuid: String,
    /// The label; empty where there is none.
    pub(crate) label: String,
}

/// A kind of content: how it is known, and where it keeps its names.
struct Kind {
    name: &'static str,
    magic: (usize, &'static [u8]),
    uuid: Option<(usize, Uuid)>,
    label: Option<(usize, usize)>,
}

#[derive(Clone, Copy)]
enum Uuid {
    /// Sixteen bytes.
    Full,
    /// FAT's four-byte serial number, the last byte first.
    Serial,
}

/// In the order in which `blkid` prefers them, where more than one matches.
const KINDS: &[Kind] = &[
    Kind { name: "crypto_LUKS", magic: (0, b"LUKS\xba\xbe"), uuid: None, label: None },
    Kind { name: "LVM2_member", magic: (0x218, b"LVM2 001"), uuid: None, label: None },
    Kind { name: "xfs", magic: (0, b"XFSB"), uuid: Some((32, Uuid::Full)), label: Some((108, 12)) },
    Kind { name: "squashfs", magic: (0, b"hsqs"), uuid: None, label: None },
    Kind {
        name: "btrfs",
        magic: (0x1_0040, b"_BHRfS_M"),
        uuid: Some((0x1_0020, Uuid::Full)),
        label: Some((0x1_012b, 256)),
    },
    Kind {
        name: "ext4",
        magic: (0x438, b"\x53\xef"),
        uuid: Some((0x468, Uuid::Full)),
        label: Some((0x478, 16)),
    },
    Kind { name: "iso9660", magic: (0x8001, b"CD001"), uuid: None, label: Some((0x8028, 32)) },
    Kind {
        name: "swap",
        magic: (0xff6, b"SWAPSPACE2"),
        uuid: Some((0x40c, Uuid::Full)),
        label: Some((0x41c, 16)),
    },
    Kind {
        name: "vfat",
        magic: (0x52, b"FAT32"),
        uuid: Some((0x43, Uuid::Serial)),
        label: Some((0x47, 11)),
    },
    Kind {
        name: "vfat",
        magic: (0x36, b"FAT1"),
        uuid: Some((0x27, Uuid::Serial)),
        label: Some((0x2b, 11)),
    },
];

/// Kinds that the kernel can mount; the others are told apart only to be named.
pub(crate) const MOUNTABLE: &[&str] = &["ext4", "xfs", "btrfs", "vfat", "iso9660", "squashfs"];

impl Superblock {
    /// Reads what a device holds; nothing that is known is `None`.
    pub(crate) fn of(device: &Path) -> Result<Option<Superblock>> {
        let mut bytes = Vec::new();
        File::open(device)
            .and_then(|file| file.take(LENGTH).read_to_end(&mut bytes))
            .map_err(Failure::doing(device.display()))?;
        Ok(parse(&bytes))
    }

    /// Whether the kernel can mount it.
    pub(crate) fn is_mountable(&self) -> bool {
        MOUNTABLE.contains(&self.kind)
    }
}

fn parse(bytes: &[u8]) -> Option<Superblock> {
    let kind = KINDS.iter().find(|kind| {
        let (at, magic) = kind.magic;
        bytes.get(at..at + magic.len()) == Some(magic)
    })?;
    let uuid = kind.uuid.and_then(|(at, form)| uuid(bytes, at, form)).unwrap_or_default();
    let label = kind.label.and_then(|(at, length)| label(bytes, at, length)).unwrap_or_default();
    Some(Superblock { kind: kind.name, uuid, label })
}

fn uuid(bytes: &[u8], at: usize, form: Uuid) -> Option<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Some(match form {
        Uuid::Full => {
            let all = bytes.get(at..at + 16)?;
            [&all[..4], &all[4..6], &all[6..8], &all[8..10], &all[10..]].map(hex).join("-")
        }
        Uuid::Serial => {
            let [a, b, c, d] = *bytes.get(at..)?.first_chunk()?;
            format!("{d:02X}{c:02X}-{b:02X}{a:02X}")
        }
    })
}

fn label(bytes: &[u8], at: usize, length: usize) -> Option<String> {
    let field = bytes.get(at..at + length)?;
    let text = field.split(|&byte| byte == 0).next()?;
    Some(String::from_utf8_lossy(text).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(parts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH as usize];
        for (at, content) in parts {
            bytes[*at..*at + content.len()].copy_from_slice(content);
        }
        bytes
    }

    #[test]
    fn ext4_has_a_uuid_and_a_label() {
        let uuid: Vec<u8> = (0..16).collect();
        let bytes = device(&[(0x438, b"\x53\xef"), (0x468, &uuid), (0x478, b"root\0")]);
        let found = parse(&bytes).unwrap();
        assert_eq!(found.kind, "ext4");
        assert_eq!(found.uuid, "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(found.label, "root");
    }

    #[test]
    fn fat_has_a_serial_number_for_a_uuid() {
        let bytes = device(&[
            (0x36, b"FAT16   "),
            (0x27, &[0x0d, 0x3c, 0x2b, 0x0a]),
            (0x2b, b"EFI        "),
        ]);
        let found = parse(&bytes).unwrap();
        assert_eq!((found.uuid.as_str(), found.label.as_str()), ("0A2B-3C0D", "EFI"));
    }

    #[test]
    fn a_physical_volume_is_known_but_not_mountable() {
        let found = parse(&device(&[(0x200, b"LABELONE"), (0x218, b"LVM2 001")])).unwrap();
        assert_eq!(found.kind, "LVM2_member");
        assert!(!found.is_mountable());
    }

    #[test]
    fn an_empty_or_tiny_partition_holds_nothing() {
        assert_eq!(parse(&device(&[])), None);
        assert_eq!(parse(b"XF"), None);
    }
}
