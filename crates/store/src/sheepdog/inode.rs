//! What describes a VDI: `struct sd_inode` of `sheepdog_proto.h`. A header, then the owner of each
//! object, then counts of references that only nodes look at.

use std::ops::{Range, RangeInclusive};

use super::protocol::{LARGEST_VDI, Redundancy};

/// The length of the header, in bytes.
pub(super) const HEADER: u32 = 4664;

/// How many objects a VDI may have whose index is no tree.
const OBJECTS: u64 = 1 << 20;

/// The length of the header and of the owners of objects, in bytes.
pub(super) const INDEXED: usize = HEADER as usize + 4 * OBJECTS as usize;

/// The length of all of it, in bytes.
pub(super) const WHOLE: u32 = HEADER + 12 * OBJECTS as u32;

/// Where the tag of a snapshot is in it.
pub(super) const TAG: u32 = 256;

const SIZE: usize = 536;
const COPY_POLICY: usize = 552;
const STORE_POLICY: usize = 553;
const COPIES: usize = 554;
const SHIFT: usize = 555;
const VDI: usize = 560;

/// The logarithms that lengths of objects may have: 1 MiB to 2 GiB.
const SHIFTS: RangeInclusive<u8> = 20..=31;

/// A VDI, as its header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) vdi: u32,
    /// In bytes.
    pub(super) size: u64,
    pub(super) redundancy: Redundancy,
    /// The logarithm of the length of objects.
    pub(super) shift: u8,
}

impl Header {
    /// Reads the header of a VDI; a text of what is wrong with it, or what can't be served.
    pub(super) fn decode(bytes: &[u8], vdi: u32) -> Result<Self, String> {
        if bytes.len() < HEADER as usize {
            return Err(format!("the header of a VDI has {} bytes", bytes.len()));
        }
        let own = u32::from_le_bytes(four(bytes, VDI));
        if own != vdi {
            return Err(format!("VDI {own:x} is given for {vdi:x}"));
        }
        if bytes[STORE_POLICY] != 0 {
            return Err("its index is a tree (a hyper volume), which is not read".to_owned());
        }
        let shift = bytes[SHIFT];
        if !SHIFTS.contains(&shift) {
            return Err(format!("its objects are of 2^{shift} bytes"));
        }
        let mut size = [0; 8];
        size.copy_from_slice(&bytes[SIZE..SIZE + 8]);
        let redundancy = Redundancy { copies: bytes[COPIES], policy: bytes[COPY_POLICY] };
        Ok(Self { vdi, size: u64::from_le_bytes(size), redundancy, shift })
    }

    /// The length of objects, in bytes.
    pub(super) fn object(&self) -> u64 {
        1 << self.shift
    }

    /// A text of why it can't have this size, in bytes.
    pub(super) fn need_room(&self, size: u64) -> Result<(), String> {
        let most = OBJECTS << self.shift;
        match size <= most {
            true => Ok(()),
            false => Err(format!("{size} bytes: a VDI has {most} at most")),
        }
    }
}

/// The same header with another size.
pub(super) fn resized(mut header: Vec<u8>, size: u64) -> Vec<u8> {
    header[SIZE..SIZE + 8].copy_from_slice(&size.to_le_bytes());
    header
}

/// Where the owners of objects are, in bytes from the beginning.
pub(super) fn entries(objects: Range<u32>) -> Range<u32> {
    HEADER + 4 * objects.start..HEADER + 4 * objects.end
}

/// A VDI and its objects.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) header: Header,
    /// The VDI that each object belongs to; 0 where there is none, and zeros are read.
    pub(super) owners: Vec<u32>,
}

impl Inode {
    /// How many bytes can be read.
    pub(super) fn readable(&self) -> u64 {
        self.header.size.min((self.owners.len() as u64) << self.header.shift)
    }

    /// Reads header and owners; a text of what is wrong with them.
    pub(super) fn decode(bytes: &[u8], vdi: u32) -> Result<Self, String> {
        let header = Header::decode(bytes, vdi)?;
        let objects = header.size.div_ceil(header.object()).min(OBJECTS) as usize;
        let entries = bytes[HEADER as usize..].chunks_exact(4).take(objects);
        let owners: Vec<_> = entries.map(|entry| u32::from_le_bytes(four(entry, 0))).collect();
        match owners.iter().find(|owner| **owner > LARGEST_VDI) {
            Some(owner) => Err(format!("an object belongs to {owner:x}, which is no VDI")),
            None if owners.len() < objects => Err("its index is short".to_owned()),
            None => Ok(Self { header, owners }),
        }
    }
}

fn four(bytes: &[u8], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}
