//! VHDX ([MS-VHDX]: Virtual Hard Disk v2 File Format).

use super::blocks::{Place, Reader, Stored, Tables};
use super::{Format, Looked};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::file::ImageFile;
use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

/// `vhdx`.
#[derive(Debug)]
pub(crate) struct Vhdx;

/// What comes of a look at an image.
type Seen<T> = std::result::Result<T, Halt>;

/// [MS-VHDX] 2.2.3: the region table, and how many entries it may have.
const REGION_TABLE: u64 = 192 << 10;
const REGIONS: u32 = 2047;
/// 2.2.3.2: the region of metadata, 8B7CA206-4790-4B9A-B8FE-575F050F886E.
const METADATA: u128 = 0x8b7c_a206_4790_4b9a_b8fe_575f_050f_886e;
/// No disk is longer than 64 TiB, and no image much more so (2.1).
const FARTHEST: u64 = 1 << 50;
/// 2.6.1.1: the metadata's table, and how many entries it may have.
const ITEMS: u16 = 2047;
/// 2.6.2.1, 2.6.2.2: file parameters, and the size of the disk.
const PARAMETERS: u128 = 0xcaa1_6737_fa36_4d43_b3b6_33f0_aa44_e76b;
const DISK_SIZE: u128 = 0x2fa5_4224_cd1b_4876_b211_5dbe_d83b_f4b8;
/// 2.6.2.1: the disk differs from a parent.
const HAS_PARENT: u32 = 2;
const LEAVE_ALLOCATED: u32 = 1;
/// 2.2.2: the two headers, of which the one with the higher sequence number counts.
const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
/// 2.2.3.2: the region of the block allocation table, 2DC27766-F623-4200-9D64-115E9BFD4A08.
const ALLOCATION: u128 = 0x2dc2_7766_f623_4200_9d64_115e_9bfd_4a08;
/// 2.6.2.4: the size of a logical sector.
const LOGICAL_SECTOR: u128 = 0x8141_bf1d_a96f_4709_ba47_f233_a8fa_ab5f;
/// 2.5.1: how many sectors one block of bitmaps speaks of.
const CHUNK: u64 = 1 << 23;
/// 2.5.1.1: the state of a block of which everything is there, and of one of which a parent has the
/// rest.
const FULLY_PRESENT: u64 = 6;
const PARTIALLY_PRESENT: u64 = 7;
const MIB: u64 = 1 << 20;

impl Format for Vhdx {
    fn name(&self) -> &'static str {
        "vhdx"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(b"vhdxfile")
    }

    fn inspect(&self, view: &View) -> Looked {
        let (parameters, size) = (item(view, PARAMETERS, 8)?, item(view, DISK_SIZE, 8)?);
        let flags = number::le32(parameters, 4);
        let differs = flags & HAS_PARENT != 0;
        let kind = match flags {
            _ if differs => "differencing",
            _ if flags & LEAVE_ALLOCATED != 0 => "fixed",
            _ => "dynamic",
        };
        Ok(Facts {
            virtual_size: Some(number::le64(size, 0)),
            cluster_size: Some(number::le32(parameters, 0).into()),
            references: differs
                .then(|| Reference::new(ReferenceKind::Parent, ""))
                .into_iter()
                .collect(),
            details: vec![("disk-type", Detail::Text(kind.into()))],
        })
    }

    fn open(&self, image: ImageFile, _: usize) -> Result<Box<dyn Disk>> {
        image.expect_whole()?;
        if image.read(has_log)? {
            let what = "it was not closed, and its log has to be replayed first: \
                        `qemu-img check -r all` does so";
            return Err(Error::NotHandled { path: image.path, what });
        }
        let size = image.facts.virtual_size.unwrap_or_default();
        let allocation = image.read(|view| Allocation::read(view, size))?;
        Ok(Reader::open(image, size, allocation))
    }
}

/// Whether there is something in the log that is not yet at its place (2.3.3).
fn has_log(view: &View) -> Seen<bool> {
    let mut newest = None;
    for at in HEADERS {
        let header = view.bytes(at, 80)?;
        if header.starts_with(b"head") {
            let log = header[48..64].iter().any(|byte| *byte != 0);
            newest = newest.max(Some((number::le64(header, 8), log)));
        }
    }
    let (_, log) = newest.ok_or_else(|| malformed("neither of its headers is one"))?;
    Ok(log)
}

/// The block allocation table. Entries of bitmaps stand between those of blocks.
#[derive(Debug)]
struct Allocation {
    entries: u64,
    block: u64,
    /// How many blocks come before the entry of a bitmap.
    ratio: u64,
}

impl Allocation {
    fn read(view: &View, size: u64) -> Seen<Self> {
        let region = find(regions(view)?, ALLOCATION)
            .ok_or_else(|| malformed("no region holds a block allocation table"))?;
        let (entries, length) = (number::le64(region, 16), number::le32(region, 24));
        let block = u64::from(number::le32(item(view, PARAMETERS, 8)?, 0));
        let sector = u64::from(number::le32(item(view, LOGICAL_SECTOR, 4)?, 0));
        if !block.is_power_of_two() || !(MIB..=256 * MIB).contains(&block) {
            return Err(malformed(format!("blocks of {block} bytes")).into());
        }
        if ![512, 4096].contains(&sector) || entries > FARTHEST {
            let what = format!("sectors of {sector} bytes, and a table at byte {entries}");
            return Err(malformed(what).into());
        }
        let ratio = CHUNK * sector / block;
        let table = Self { entries, block, ratio };
        let last = table.index(size.saturating_sub(1) / block);
        if last >= u64::from(length) / 8 {
            return Err(malformed(format!("a table of {length} bytes for {size}")).into());
        }
        Ok(table)
    }

    fn index(&self, block: u64) -> u64 {
        block + block / self.ratio
    }
}

impl Tables for Allocation {
    fn block(&self) -> u64 {
        self.block
    }

    fn place(&self, stored: &Stored, offset: u64) -> Result<(Place, u64)> {
        let (block, within) = (offset / self.block, offset % self.block);
        let entry = u64::from_le_bytes(stored.bytes(self.entries + self.index(block) * 8)?);
        let place = match entry & 7 {
            FULLY_PRESENT => Place::Data((entry >> 20) * MIB + within),
            PARTIALLY_PRESENT => return Err(stored.malformed("a block whose rest a parent has")),
            _ => Place::Zero,
        };
        Ok((place, self.block - within))
    }
}

/// An item of metadata (2.6), of which `length` bytes count.
fn item(view: &View, guid: u128, length: u64) -> Seen<&[u8]> {
    let metadata = metadata_region(view)?;
    let table = view.bytes(metadata, 32)?;
    if !table.starts_with(b"metadata") {
        return Err(malformed("the metadata region has no table").into());
    }
    let count = number::le16(table, 10);
    if count > ITEMS {
        return Err(malformed(format!("{count} items of metadata, of {ITEMS} at most")).into());
    }
    let entries = view.bytes(metadata + 32, u64::from(count) * 32)?;
    let entry = find(entries, guid).ok_or_else(|| malformed("an item of metadata is missing"))?;
    view.bytes(metadata + u64::from(number::le32(entry, 16)), length)
}

fn metadata_region(view: &View) -> Seen<u64> {
    let entry =
        find(regions(view)?, METADATA).ok_or_else(|| malformed("no region holds metadata"))?;
    match number::le64(entry, 16) {
        offset if offset > FARTHEST => Err(malformed(format!("metadata at byte {offset}")).into()),
        offset => Ok(offset),
    }
}

/// The entries of the region table.
fn regions(view: &View) -> Seen<&[u8]> {
    let header = view.bytes(REGION_TABLE, 16)?;
    let count = number::le32(header, 8);
    if !header.starts_with(b"regi") || count > REGIONS {
        return Err(malformed("its region table is not one").into());
    }
    view.bytes(REGION_TABLE + 16, u64::from(count) * 32)
}

/// The entry of 32 bytes that begins with a GUID.
fn find(entries: &[u8], guid: u128) -> Option<&[u8]> {
    entries.chunks_exact(32).find(|entry| entry.starts_with(&on_disk(guid)))
}

/// A GUID's first three fields are little-endian on the disk ([MS-DTYP] 2.3.4.2).
fn on_disk(guid: u128) -> [u8; 16] {
    let mut bytes = guid.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn malformed(what: impl Into<String>) -> InspectError {
    InspectError::malformed("vhdx", what)
}
