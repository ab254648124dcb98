//! Disks with a partition table: raw images, recognized so that they can be told from others.

use super::{Format, Looked};
use crate::facts::Facts;
use crate::view::{View, number};

/// A disk with a table of one kind.
#[derive(Debug)]
pub(crate) struct Partitioned {
    name: &'static str,
    mark: &'static [u8],
    at: usize,
}

/// UEFI Specification 2.10, 5.3.2: the header is in the sector behind the first.
pub(super) const GPT: Partitioned = Partitioned { name: "gpt", mark: b"EFI PART", at: 512 };

/// UEFI Specification 2.10, 5.2.1: the signature ends the first sector.
pub(super) const MBR: Partitioned = Partitioned { name: "mbr", mark: &[0x55, 0xaa], at: 510 };

impl Format for Partitioned {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.get(self.at..).is_some_and(|rest| rest.starts_with(self.mark)) && !is_fat(head)
    }

    /// Glance's format `gpt` is any disk with a partition table.
    fn takes(&self, found: Option<&dyn Format>) -> bool {
        found.is_some_and(|found| found.name() == self.name || found.name() == MBR.name)
    }

    fn inspect(&self, view: &View) -> Looked {
        Ok(Facts { virtual_size: Some(view.length()?), ..Facts::default() })
    }

    fn fault(&self, head: &[u8]) -> Option<&'static str> {
        head.get(..SECTOR).filter(|sector| MBR.recognize(sector)).and_then(fault)
    }
}

const SECTOR: usize = 512;

/// A file system without partitions, whose boot sector bears the signature, too: two allocation
/// tables on a fixed disk (Microsoft's FAT specification, "Boot Sector and BPB").
fn is_fat(sector: &[u8]) -> bool {
    (sector.get(0x10), sector.get(0x15)) == (Some(&2), Some(&0xf8))
}

/// What is wrong with the partition table of the first sector: UEFI Specification 2.10, 5.2.1 and
/// 5.2.3, as far as the check `mbr` of oslo.utils goes.
fn fault(sector: &[u8]) -> Option<&'static str> {
    let entries = sector[446..510].chunks_exact(16);
    let used: Vec<_> = entries.clone().enumerate().filter(|(_, entry)| entry[4] != 0).collect();
    let protective: Vec<_> = used.iter().filter(|(_, entry)| entry[4] == PROTECTIVE).collect();
    let starts_elsewhere = |entry: &[u8]| entry[1..4] != [0, 2, 0] || number::le32(entry, 8) != 1;
    if entries.clone().any(|entry| !matches!(entry[0], 0 | 0x80)) {
        return Some("a boot indicator that is neither 0 nor 0x80");
    }
    if protective.iter().any(|(_, entry)| starts_elsewhere(entry)) {
        return Some("a protective partition that does not start at the second sector");
    }
    if !protective.is_empty() && (used.len() > 1 || used[0].0 != 0) {
        return Some("other partitions beside the protective one");
    }
    used.is_empty().then_some("no partitions")
}

/// The type of the partition that keeps the room of a GUID partition table.
const PROTECTIVE: u8 = 0xee;

#[cfg(test)]
mod tests {
    use super::*;

    /// A first sector with these entries: boot indicator, start, type and first block.
    fn sector(entries: &[(u8, [u8; 3], u8, u32)]) -> Vec<u8> {
        let mut sector = vec![0; SECTOR];
        for (entry, (boot, start, kind, block)) in sector[446..].chunks_mut(16).zip(entries) {
            entry[0] = *boot;
            entry[1..4].copy_from_slice(start);
            entry[4] = *kind;
            entry[8..12].copy_from_slice(&block.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    #[test]
    fn tables_are_judged_as_oslo_utils_judges_them() {
        let linux = (0x80, [32, 33, 0], 0x83, 2048);
        let protective = (0, [0, 2, 0], PROTECTIVE, 1);
        let unused = (0, [0; 3], 0, 0);
        for (entries, expected) in [
            (&[linux][..], None),
            (&[unused, linux], None),
            (&[protective], None),
            (&[], Some("no partitions")),
            (&[(1, [32, 33, 0], 0x83, 2048)], Some("boot indicator")),
            (&[(0, [0, 1, 0], PROTECTIVE, 1)], Some("does not start")),
            (&[(0, [0, 2, 0], PROTECTIVE, 2)], Some("does not start")),
            (&[protective, linux], Some("other partitions")),
            (&[unused, protective], Some("other partitions")),
        ] {
            let found = MBR.fault(&sector(entries));
            assert_eq!(found.is_some(), expected.is_some(), "{entries:?}: {found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{found:?}");
        }
    }

    #[test]
    fn a_file_system_of_the_whole_disk_has_no_table() {
        let mut fat = sector(&[]);
        (fat[0x10], fat[0x15]) = (2, 0xf8);
        assert!(!MBR.recognize(&fat));
        let mut unsigned = sector(&[]);
        unsigned[510] = 0;
        assert_eq!(GPT.fault(&unsigned), None);
        assert_eq!(MBR.fault(&[0; 100]), None);
    }
}
