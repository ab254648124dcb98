//! VDI, VirtualBox's format (VirtualBox, VDICore.h; QEMU, block/vdi.c).

use super::blocks::{Place, Reader, Stored, Tables};
use super::{Format, Looked};
use crate::disk::Disk;
use crate::error::Result;
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::file::ImageFile;
use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

/// `vdi`.
#[derive(Debug)]
pub(crate) struct Vdi;

const SIGNATURE: [u8; 4] = 0xbeda_107f_u32.to_le_bytes();
const VERSION: u32 = 0x0001_0001;
/// Types of image: one that grows, one of fixed size; what else there is differs from a parent.
const TYPES: [(u32, &str); 2] = [(1, "dynamic"), (2, "static")];
/// Entries of the block map from this one on: a block that reads as zeros, and one that was never
/// written.
const ZERO: u32 = 0xffff_fffe;
/// No block is longer, in bytes.
const LONGEST: u32 = 1 << 30;

impl Format for Vdi {
    fn name(&self) -> &'static str {
        "vdi"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.get(64..68).is_some_and(|signature| signature == SIGNATURE)
    }

    fn inspect(&self, view: &View) -> Looked {
        let header = view.bytes(0, 512)?;
        let version = number::le32(header, 68);
        if version != VERSION {
            let what = format!("version {version:#x}, of which only {VERSION:#x} is known");
            return Err(InspectError::malformed("vdi", what).into());
        }
        let kind = number::le32(header, 76);
        let kind_name = TYPES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name);
        // UUIDs of the image that this one is linked to, and of its parent.
        let related = header[424..456].iter().any(|byte| *byte != 0);
        let differs = kind_name.is_none() || related;
        Ok(Facts {
            virtual_size: Some(number::le64(header, 368)),
            cluster_size: Some(number::le32(header, 376).into()),
            references: differs
                .then(|| Reference::new(ReferenceKind::Parent, ""))
                .into_iter()
                .collect(),
            details: vec![("image-type", Detail::Text(kind_name.unwrap_or("differencing").into()))],
        })
    }

    fn open(&self, image: ImageFile, _: usize) -> Result<Box<dyn Disk>> {
        image.expect_whole()?;
        let (size, map) = image.read(BlockMap::read)?;
        Ok(Reader::open(image, size, map))
    }
}

/// Where blocks are, all in bytes.
#[derive(Debug)]
struct BlockMap {
    entries: u64,
    data: u64,
    block: u64,
}

impl BlockMap {
    /// With the size of the disk.
    fn read(view: &View) -> std::result::Result<(u64, Self), Halt> {
        let header = view.bytes(0, 512)?;
        let malformed = |what: String| Halt::Refuse(InspectError::malformed("vdi", what));
        let (size, block) = (number::le64(header, 368), number::le32(header, 376));
        let (extra, count) = (number::le32(header, 380), number::le32(header, 384));
        if !block.is_power_of_two() || !(512..=LONGEST).contains(&block) || extra != 0 {
            return Err(malformed(format!("blocks of {block} bytes with {extra} more")));
        }
        if u64::from(count) * u64::from(block) < size {
            return Err(malformed(format!("{count} blocks for a disk of {size} bytes")));
        }
        let (entries, data) = (number::le32(header, 340).into(), number::le32(header, 344).into());
        Ok((size, Self { entries, data, block: block.into() }))
    }
}

impl Tables for BlockMap {
    fn block(&self) -> u64 {
        self.block
    }

    fn place(&self, stored: &Stored, offset: u64) -> Result<(Place, u64)> {
        let (block, within) = (offset / self.block, offset % self.block);
        let entry = u32::from_le_bytes(stored.bytes(self.entries + block * 4)?);
        let place = match entry {
            ZERO.. => Place::Zero,
            _ => Place::Data(self.data + u64::from(entry) * self.block + within),
        };
        Ok((place, self.block - within))
    }
}
