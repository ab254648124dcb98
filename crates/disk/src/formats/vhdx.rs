//! VHDX ([MS-VHDX]: Virtual Hard Disk v2 File Format).

use super::{Format, Looked};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

/// `vhdx`.
#[derive(Debug)]
pub(crate) struct Vhdx;

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

impl Format for Vhdx {
    fn name(&self) -> &'static str {
        "vhdx"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(b"vhdxfile")
    }

    fn inspect(&self, view: &View) -> Looked {
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
        let item = |guid| {
            let entry =
                find(entries, guid).ok_or_else(|| malformed("an item of metadata is missing"))?;
            Ok::<_, Halt>(metadata + u64::from(number::le32(entry, 16)))
        };
        let (parameters, size) = (item(PARAMETERS)?, item(DISK_SIZE)?);
        let parameters = view.bytes(parameters, 8)?;
        let flags = number::le32(parameters, 4);
        let differs = flags & HAS_PARENT != 0;
        let kind = match flags {
            _ if differs => "differencing",
            _ if flags & LEAVE_ALLOCATED != 0 => "fixed",
            _ => "dynamic",
        };
        Ok(Facts {
            virtual_size: Some(number::le64(view.bytes(size, 8)?, 0)),
            cluster_size: Some(number::le32(parameters, 0).into()),
            references: differs
                .then(|| Reference::new(ReferenceKind::Parent, ""))
                .into_iter()
                .collect(),
            details: vec![("disk-type", Detail::Text(kind.into()))],
        })
    }
}

fn metadata_region(view: &View) -> Result<u64, Halt> {
    let header = view.bytes(REGION_TABLE, 16)?;
    let count = number::le32(header, 8);
    if !header.starts_with(b"regi") || count > REGIONS {
        return Err(malformed("its region table is not one").into());
    }
    let entries = view.bytes(REGION_TABLE + 16, u64::from(count) * 32)?;
    let entry = find(entries, METADATA).ok_or_else(|| malformed("no region holds metadata"))?;
    match number::le64(entry, 16) {
        offset if offset > FARTHEST => Err(malformed(format!("metadata at byte {offset}")).into()),
        offset => Ok(offset),
    }
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
