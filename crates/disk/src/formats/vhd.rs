//! VHD (Virtual Hard Disk Image Format Specification 1.0): `vpc` to QEMU.

use super::blocks::{Place, Reader, Stored, Tables};
use super::raw::{self, Raw};
use super::{Format, Looked};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::file::{self, ImageFile};
use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

/// `vhd`.
#[derive(Debug)]
pub(crate) struct Vhd;

/// A footer's cookie. A disk of fixed size has its footer at the end only; the others have a copy
/// of it at the beginning.
const COOKIE: &[u8] = b"conectix";
const FOOTER: u64 = 512;
const TYPES: [(u32, &str); 3] = [(2, "fixed"), (3, "dynamic"), (4, "differencing")];
const FIXED: u32 = 2;
const DIFFERENCING: u32 = 4;
/// "Dynamic Disk Header Format".
const DYNAMIC_COOKIE: &[u8] = b"cxsparse";
/// The entry of the block allocation table for a block that was never written.
const UNUSED: u32 = u32::MAX;
const SECTOR: u64 = 512;
/// No block is longer, in bytes.
const LONGEST: u32 = 1 << 30;

impl Format for Vhd {
    fn name(&self) -> &'static str {
        "vhd"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(COOKIE)
    }

    /// A disk of fixed size looks raw until its end is seen.
    fn takes(&self, found: Option<&dyn Format>) -> bool {
        found.is_some_and(|found| found.name() == self.name()) || Raw.takes(found)
    }

    fn inspect(&self, view: &View) -> Looked {
        if self.recognize(view.head()) {
            let facts = facts(view.bytes(0, FOOTER)?)?;
            // Readers differ in which of the two they believe, so both have to be harmless.
            let tail = view.tail()?;
            let last = if tail.starts_with(COOKIE) { self::facts(tail)? } else { Facts::default() };
            return Ok(if facts.references.is_empty() {
                Facts { references: last.references, ..facts }
            } else {
                facts
            });
        }
        let tail = view.tail()?;
        if tail.len() as u64 != FOOTER || !tail.starts_with(COOKIE) {
            let what = "neither its beginning nor its end has the cookie \"conectix\"";
            return Err(malformed(what).into());
        }
        facts(tail)
    }

    fn open(&self, image: ImageFile, _: usize) -> Result<Box<dyn Disk>> {
        image.expect_whole()?;
        let size = image.facts.virtual_size.unwrap_or_default();
        match image.read(|view| Allocation::read(view, size))? {
            Some(allocation) => Ok(Reader::open(image, size, allocation)),
            None => fixed(image, size),
        }
    }
}

/// A disk of fixed size is its bytes, and a footer.
fn fixed(image: ImageFile, size: u64) -> Result<Box<dyn Disk>> {
    let length = file::length(&image.file).map_err(Error::at(&image.path))?;
    if size.checked_add(FOOTER).is_none_or(|whole| whole > length) {
        let what = format!("a file of {length} bytes for a disk of {size}");
        return Err(Error::image(&image.path, malformed(what)));
    }
    Ok(raw::disk(image, size))
}

/// The block allocation table of a dynamic disk. A block has a bitmap of the sectors that were
/// written before its bytes; others are zeros there (QEMU, block/vpc.c, reads them so, too).
#[derive(Debug)]
struct Allocation {
    entries: u64,
    block: u64,
}

impl Allocation {
    /// `None` for a disk of fixed size.
    fn read(view: &View, size: u64) -> std::result::Result<Option<Self>, Halt> {
        let footer = view.bytes(0, FOOTER)?;
        if !footer.starts_with(COOKIE) {
            return Ok(None);
        }
        if number::be32(footer, 60) == FIXED {
            return Err(malformed("a disk of fixed size that begins with a footer").into());
        }
        let header = number::be64(footer, 16);
        let header = view.bytes(header, 1024)?;
        if !header.starts_with(DYNAMIC_COOKIE) {
            return Err(malformed("its dynamic header has no cookie \"cxsparse\"").into());
        }
        let (count, block) = (number::be32(header, 28), number::be32(header, 32));
        if !block.is_power_of_two() || !(512..=LONGEST).contains(&block) {
            return Err(malformed(format!("blocks of {block} bytes")).into());
        }
        if u64::from(count) * u64::from(block) < size {
            return Err(malformed(format!("{count} blocks for a disk of {size} bytes")).into());
        }
        Ok(Some(Self { entries: number::be64(header, 16), block: block.into() }))
    }

    /// The length of a block's bitmap, in bytes: a bit for each sector, in whole sectors.
    fn bitmap(&self) -> u64 {
        (self.block / SECTOR).div_ceil(8).next_multiple_of(SECTOR)
    }
}

impl Tables for Allocation {
    fn block(&self) -> u64 {
        self.block
    }

    fn place(&self, stored: &Stored, offset: u64) -> Result<(Place, u64)> {
        let (block, within) = (offset / self.block, offset % self.block);
        let entry = u32::from_be_bytes(stored.bytes(self.entries.saturating_add(block * 4))?);
        let place = match entry {
            UNUSED => Place::Zero,
            _ => Place::Data(u64::from(entry) * SECTOR + self.bitmap() + within),
        };
        Ok((place, self.block - within))
    }
}

fn malformed(what: impl Into<String>) -> InspectError {
    InspectError::malformed("vhd", what)
}

/// What a footer says ("Hard Disk Footer Format").
fn facts(footer: &[u8]) -> Looked {
    let kind = number::be32(footer, 60);
    let Some((_, name)) = TYPES.iter().find(|(number, _)| *number == kind) else {
        let what = format!("disk type {kind}, of which 2, 3 and 4 are known");
        return Err(malformed(what).into());
    };
    let differs = kind == DIFFERENCING;
    Ok(Facts {
        virtual_size: Some(number::be64(footer, 48)),
        cluster_size: None,
        references: differs
            .then(|| Reference::new(ReferenceKind::Parent, ""))
            .into_iter()
            .collect(),
        details: vec![("disk-type", Detail::Text((*name).into()))],
    })
}
