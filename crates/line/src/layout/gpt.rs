//! The partition table (UEFI specification 2.10, section 5.3), written into a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uuid::{Uuid, uuid};

use super::{Range, SECTOR};

/// A Linux file system.
pub(super) const LINUX: Uuid = uuid!("0fc63daf-8483-4772-8e79-3d69d8477de4");
/// Where GRUB keeps its core image for a BIOS ("Hah!IdontNeedEFI").
pub(super) const BIOS_BOOT: Uuid = uuid!("21686148-6449-6e6f-744e-656564454649");
/// The EFI system partition.
pub(super) const EFI_SYSTEM: Uuid = uuid!("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");

/// 128 entries of 128 bytes: the least that the specification allows, and what everybody writes.
const ENTRIES: usize = 128;
const ENTRY: usize = 128;
const ARRAY: usize = ENTRIES * ENTRY;
const ARRAY_SECTORS: u64 = ARRAY as u64 / SECTOR;

/// Sectors at the end of the disk that belong to the table: its copy, and the last usable one is
/// before them.
pub(super) const TAIL: u64 = ARRAY_SECTORS + 1;

/// Sectors at the start: the protective MBR, the header, the entries.
const HEAD: u64 = ARRAY_SECTORS + 2;

const HEADER_LENGTH: u32 = 92;

/// A partition.
pub(super) struct Partition {
    /// From 1.
    pub(super) number: usize,
    pub(super) kind: Uuid,
    pub(super) id: Uuid,
    pub(super) range: Range,
    pub(super) name: &'static str,
}

/// A table for a disk.
pub(super) struct Table {
    pub(super) id: Uuid,
    /// The disk's size.
    pub(super) sectors: u64,
}

impl Table {
    /// Writes the protective MBR, both headers and both arrays.
    pub(super) fn write(&self, disk: &File, partitions: &[Partition]) -> io::Result<()> {
        let array = array(partitions);
        let last = self.sectors - 1;
        disk.write_all_at(&self.protective_mbr()[440..], 440)?;
        disk.write_all_at(&self.header(1, last, 2, &array), SECTOR)?;
        disk.write_all_at(&array, 2 * SECTOR)?;
        disk.write_all_at(&array, (last - ARRAY_SECTORS) * SECTOR)?;
        disk.write_all_at(&self.header(last, 1, last - ARRAY_SECTORS, &array), last * SECTOR)
    }

    /// One partition of type EE over the whole disk, for programs that know no GPT.
    fn protective_mbr(&self) -> [u8; SECTOR as usize] {
        let mut mbr = [0; SECTOR as usize];
        let length = u32::try_from(self.sectors - 1).unwrap_or(u32::MAX);
        // Heads and cylinders: the first sector, and as much as the fields can say.
        mbr[446..454].copy_from_slice(&[0, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff]);
        mbr[454..458].copy_from_slice(&1_u32.to_le_bytes());
        mbr[458..462].copy_from_slice(&length.to_le_bytes());
        mbr[510..].copy_from_slice(&[0x55, 0xaa]);
        mbr
    }

    fn header(&self, mine: u64, other: u64, array_at: u64, array: &[u8]) -> [u8; SECTOR as usize] {
        let mut header = [0; SECTOR as usize];
        header[..8].copy_from_slice(b"EFI PART");
        header[8..12].copy_from_slice(&0x0001_0000_u32.to_le_bytes());
        header[12..16].copy_from_slice(&HEADER_LENGTH.to_le_bytes());
        header[24..32].copy_from_slice(&mine.to_le_bytes());
        header[32..40].copy_from_slice(&other.to_le_bytes());
        header[40..48].copy_from_slice(&HEAD.to_le_bytes());
        header[48..56].copy_from_slice(&(self.sectors - TAIL - 1).to_le_bytes());
        header[56..72].copy_from_slice(&self.id.to_bytes_le());
        header[72..80].copy_from_slice(&array_at.to_le_bytes());
        header[80..84].copy_from_slice(&(ENTRIES as u32).to_le_bytes());
        header[84..88].copy_from_slice(&(ENTRY as u32).to_le_bytes());
        header[88..92].copy_from_slice(&crc32fast::hash(array).to_le_bytes());
        let checksum = crc32fast::hash(&header[..HEADER_LENGTH as usize]);
        header[16..20].copy_from_slice(&checksum.to_le_bytes());
        header
    }
}

fn array(partitions: &[Partition]) -> Vec<u8> {
    let mut array = vec![0; ARRAY];
    for partition in partitions {
        let entry = &mut array[(partition.number - 1) * ENTRY..][..ENTRY];
        let last = partition.range.first + partition.range.sectors - 1;
        entry[..16].copy_from_slice(&partition.kind.to_bytes_le());
        entry[16..32].copy_from_slice(&partition.id.to_bytes_le());
        entry[32..40].copy_from_slice(&partition.range.first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        for (unit, place) in partition.name.encode_utf16().zip(entry[56..].chunks_exact_mut(2)) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
    }
    array
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const SECTORS: u64 = 64 << 11;

    fn disk() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(SECTORS * SECTOR).unwrap();
        let table = Table { id: Uuid::from_u128(1), sectors: SECTORS };
        let range = Range { first: 2048, sectors: 4096 };
        let (id, name) = (Uuid::from_u128(2), "root");
        let root = Partition { number: 1, kind: LINUX, id, range, name };
        let range = Range { first: 8192, sectors: 2048 };
        let (id, name) = (Uuid::from_u128(3), "bios");
        let bios = Partition { number: 14, kind: BIOS_BOOT, id, range, name };
        table.write(file.as_file(), &[root, bios]).unwrap();
        file
    }

    #[test]
    fn both_headers_hold_the_checksum_of_themselves_and_of_the_entries() {
        let file = disk();
        for at in [1, SECTORS - 1] {
            let mut header = [0; 512];
            file.as_file().read_exact_at(&mut header, at * SECTOR).unwrap();
            assert_eq!(&header[..8], b"EFI PART");
            let stored = u32::from_le_bytes(header[16..20].try_into().unwrap());
            header[16..20].fill(0);
            assert_eq!(stored, crc32fast::hash(&header[..92]));
            let array_at = u64::from_le_bytes(header[72..80].try_into().unwrap());
            let mut array = vec![0; ARRAY];
            file.as_file().read_exact_at(&mut array, array_at * SECTOR).unwrap();
            let stored = u32::from_le_bytes(header[88..92].try_into().unwrap());
            assert_eq!(stored, crc32fast::hash(&array));
            assert_eq!(u64::from_le_bytes(array[32..40].try_into().unwrap()), 2048);
        }
    }

    #[test]
    fn sfdisk_finds_no_fault() {
        let file = disk();
        let sfdisk = |option: &str| {
            Command::new("sfdisk")
                .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
                .args([option.as_ref(), file.path().as_os_str()])
                .output()
        };
        let Ok(verified) = sfdisk("--verify") else {
            eprintln!("skipped: there is no sfdisk");
            return;
        };
        let said = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.status.success() && said.contains("No errors detected"), "{said}");
        let listed = String::from_utf8(sfdisk("--dump").unwrap().stdout).unwrap();
        for expected in ["label: gpt", "size=        4096", "name=\"root\"", "name=\"bios\""] {
            assert!(listed.contains(expected), "{listed}");
        }
    }
}
