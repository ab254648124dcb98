//! Entries of the L1 and L2 tables ("Cluster mapping").

use super::header::{Header, malformed};
use crate::inspect::InspectError;

/// Bits 9 to 55 of an entry: a place in the file.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
const COMPRESSED: u64 = 1 << 62;
/// Nothing else refers to the cluster.
pub(super) const COPIED: u64 = 1 << 63;
/// "The cluster reads as all zeros", whatever its place.
const ZERO: u64 = 1;

/// Subclusters of a cluster, where L2 entries are extended.
const SUBCLUSTERS: u64 = 32;

/// Where a run of the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not in this image.
    Backing,
    /// Nowhere: it is zeros.
    Zero,
    /// At this byte of the file.
    Data(u64),
    /// In so many bytes at this one, compressed.
    Compressed { offset: u64, length: u64 },
}

/// The place of the L2 table that an entry of the L1 table names; none where there is none.
pub(super) fn l2_table(header: &Header, entry: u64) -> Result<Option<u64>, InspectError> {
    match entry & OFFSET {
        0 => Ok(None),
        offset => aligned(header, offset).map(Some),
    }
}

/// Where the cluster of an L2 entry is at `within` bytes from its start, and how many bytes go on
/// from there in the same way.
pub(super) fn place(
    header: &Header,
    entry: u64,
    bitmap: Option<u64>,
    within: u64,
) -> Result<(Place, u64), InspectError> {
    let rest = header.cluster() - within;
    if entry & COMPRESSED != 0 {
        return Ok((compressed(header, entry), rest));
    }
    let offset = aligned(header, entry & OFFSET)?;
    if let Some(bitmap) = bitmap {
        return Ok(subcluster(header, offset, bitmap, within));
    }
    let place = match offset {
        _ if entry & ZERO != 0 && header.version > 2 => Place::Zero,
        0 => Place::Backing,
        offset => Place::Data(offset + within),
    };
    Ok((place, rest))
}

/// The cluster that an entry holds on to while its content is zeros or in the backing file.
pub(super) fn kept(entry: u64) -> Option<u64> {
    Some(entry & OFFSET).filter(|offset| *offset != 0 && entry & COMPRESSED == 0)
}

/// "Extended L2 Entries": 32 bits say which subclusters are allocated, 32 which are zeros.
fn subcluster(header: &Header, offset: u64, bitmap: u64, within: u64) -> (Place, u64) {
    let length = header.cluster() / SUBCLUSTERS;
    let index = within / length;
    let is_set = |bit: u64| bitmap >> bit & 1 == 1;
    let place = match (is_set(index), is_set(index + SUBCLUSTERS)) {
        (_, true) => Place::Zero,
        (true, false) => Place::Data(offset + within),
        (false, false) => Place::Backing,
    };
    (place, length - within % length)
}

/// "Compressed Clusters Descriptor": the lower bits are a place, the others count sectors of 512
/// behind the one that it is in.
fn compressed(header: &Header, entry: u64) -> Place {
    let shift = compressed_shift(header);
    let offset = entry & ((1 << shift) - 1);
    let sectors = (entry & (COMPRESSED - 1)) >> shift;
    Place::Compressed { offset, length: (sectors + 1) * 512 - offset % 512 }
}

/// The L2 entry of a cluster that is compressed to `length` bytes at `offset`.
pub(super) fn compressed_entry(header: &Header, offset: u64, length: u64) -> u64 {
    let sectors = (offset + length - 1) / 512 - offset / 512;
    COMPRESSED | sectors << compressed_shift(header) | offset
}

fn compressed_shift(header: &Header) -> u32 {
    62 - (header.cluster_bits - 8)
}

fn aligned(header: &Header, offset: u64) -> Result<u64, InspectError> {
    if offset.is_multiple_of(header.cluster()) {
        return Ok(offset);
    }
    Err(malformed(format!("a cluster at byte {offset}, which is not a cluster's start")))
}
