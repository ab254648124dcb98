//! VMDK (VMware, Virtual Disk Format 5.0).

use flate2::{Decompress, FlushDecompress};

use super::blocks::{Place, Reader, Stored, Tables};
use super::{Format, Looked};
use crate::disk::Disk;
use crate::error::Result;
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::file::ImageFile;
use crate::inspect::InspectError;
use crate::view::{Halt, View, number};

/// `vmdk`.
#[derive(Debug)]
pub(crate) struct Vmdk;

/// "Hosted Sparse Extents": the header's magic number, KDMV.
const SPARSE: &[u8] = b"KDMV";
/// An extent of ESX, which is never a whole disk.
const ESX_SPARSE: &[u8] = b"COWD";
const SECTOR: u64 = 512;
/// A directory of grains that is told by another header in a footer, two sectors before the end.
const AT_END: u64 = u64::MAX;
const FOOTER: u64 = 2 * SECTOR;
/// Flags of the header.
const ZEROED_GRAINS: u32 = 1 << 2;
const COMPRESSED: u32 = 1 << 16;
const DEFLATE: u16 = 1;
/// A grain may not be longer, in sectors, nor a table have more entries.
const LONGEST: u64 = 4096;
const ENTRIES: u32 = 512;
/// Where readers look for the embedded descriptor, in sectors. The header says it too; but QEMU
/// reads its parent here whatever the header says (block/vmdk.c, `vmdk_open`), and as many sectors.
const DESCRIPTOR: u64 = 1;
const DESCRIPTOR_SECTORS: u64 = 20;
const DESCRIPTOR_SECTORS_MOST: u64 = 128;
/// "The Text Descriptor": the value of `parentCID` without a parent.
const NO_PARENT: &str = "ffffffff";
/// Types whose one extent is the image itself: Glance's `[image_format] vmdk_allowed_types`.
const SELF_CONTAINED: [&str; 2] = ["monolithicSparse", "streamOptimized"];

impl Format for Vmdk {
    fn name(&self) -> &'static str {
        "vmdk"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(SPARSE) || head.starts_with(ESX_SPARSE) || is_descriptor(head)
    }

    fn inspect(&self, view: &View) -> Looked {
        if view.head().starts_with(ESX_SPARSE) {
            return Err(malformed("it is a part of a disk, which another file describes").into());
        }
        if !view.head().starts_with(SPARSE) {
            return Ok(described(&String::from_utf8_lossy(view.head()), None));
        }
        let header = view.bytes(0, SECTOR)?;
        let capacity = number::le64(header, 12);
        let grain = number::le64(header, 20);
        let (offset, sectors) = (number::le64(header, 28), number::le64(header, 36));
        if capacity == 0 {
            return Err(
                malformed("a capacity of 0, with which its descriptor would be obeyed").into()
            );
        }
        if offset != DESCRIPTOR || sectors > DESCRIPTOR_SECTORS_MOST {
            let what = format!("its descriptor is said to be {sectors} sectors at sector {offset}");
            return Err(malformed(what).into());
        }
        let length = sectors.max(DESCRIPTOR_SECTORS) * SECTOR;
        let descriptor = view.bytes(DESCRIPTOR * SECTOR, length)?;
        let mut facts = described(&String::from_utf8_lossy(descriptor), Some(capacity));
        facts.cluster_size = Some(grain.saturating_mul(SECTOR));
        Ok(facts)
    }

    fn open(&self, image: ImageFile, _: usize) -> Result<Box<dyn Disk>> {
        image.expect_whole()?;
        let size = image.facts.virtual_size.unwrap_or_default();
        let grains = image.read(|view| Grains::read(view, size))?;
        Ok(Reader::open(image, size, grains))
    }
}

/// "Sparse Extents": a directory of tables of grains. Sizes and places in bytes.
#[derive(Debug)]
struct Grains {
    directory: u64,
    /// Entries of a table.
    entries: u64,
    grain: u64,
    size: u64,
    is_compressed: bool,
    /// An entry of 1 is a grain of zeros.
    has_zeros: bool,
}

impl Grains {
    fn read(view: &View, size: u64) -> std::result::Result<Self, Halt> {
        let mut header = view.bytes(0, SECTOR)?;
        if number::le64(header, 56) == AT_END {
            let length = view.length()?;
            header = view.bytes(length.saturating_sub(FOOTER), SECTOR)?;
            if !header.starts_with(SPARSE) {
                return Err(malformed("its header is said to be at its end, and is not").into());
            }
        }
        let (flags, grain) = (number::le32(header, 8), number::le64(header, 20));
        let (entries, algorithm) = (number::le32(header, 44), number::le16(header, 77));
        let directory = number::le64(header, 56);
        if !grain.is_power_of_two() || grain > LONGEST || entries == 0 || entries > ENTRIES {
            let what = format!("grains of {grain} sectors in tables of {entries}");
            return Err(malformed(what).into());
        }
        let is_compressed = flags & COMPRESSED != 0;
        if is_compressed && algorithm != DEFLATE {
            return Err(malformed(format!("compression {algorithm}, of which 1 is known")).into());
        }
        if number::le64(header, 12).saturating_mul(SECTOR) != size {
            return Err(malformed("its headers differ in the size of the disk").into());
        }
        Ok(Self {
            directory: directory.saturating_mul(SECTOR),
            entries: entries.into(),
            grain: grain * SECTOR,
            size,
            is_compressed,
            has_zeros: flags & ZEROED_GRAINS != 0,
        })
    }
}

impl Tables for Grains {
    fn block(&self) -> u64 {
        self.grain
    }

    fn place(&self, stored: &Stored, offset: u64) -> Result<(Place, u64)> {
        let reach = self.grain * self.entries;
        let at = self.directory.saturating_add(offset / reach * 4);
        let table = u64::from(u32::from_le_bytes(stored.bytes(at)?));
        if table == 0 {
            return Ok((Place::Zero, reach - offset % reach));
        }
        let (grain, within) = (offset % reach / self.grain, offset % self.grain);
        let sector = u32::from_le_bytes(stored.bytes(table * SECTOR + grain * 4)?);
        let start = u64::from(sector) * SECTOR;
        let place = match sector {
            0 => Place::Zero,
            1 if self.has_zeros => Place::Zero,
            _ if self.is_compressed => Place::Compressed(start),
            _ => Place::Data(start + within),
        };
        Ok((place, self.grain - within))
    }

    /// "Stream-Optimized Compressed Sparse Extents": a marker with the grain's first sector and the
    /// length of what follows, which is deflated (RFC 1950). The last grain may end with the disk.
    fn decompress(&self, stored: &Stored, place: u64, offset: u64) -> Result<Vec<u8>> {
        let start = offset - offset % self.grain;
        let marker: [u8; 12] = stored.bytes(place)?;
        let (sector, length) = (number::le64(&marker, 0), u64::from(number::le32(&marker, 8)));
        if sector != start / SECTOR || length > self.grain * 2 {
            let what = format!("a grain of sector {sector} in {length} bytes, for {start}");
            return Err(stored.malformed(what));
        }
        let mut compressed = vec![0; length as usize];
        stored.read_exact(&mut compressed, place + 12)?;
        let mut grain = Vec::with_capacity(self.grain as usize);
        let inflated =
            Decompress::new(true).decompress_vec(&compressed, &mut grain, FlushDecompress::Finish);
        if inflated.is_err() || (grain.len() as u64) < self.grain.min(self.size - start) {
            return Err(stored.malformed("a grain that does not decompress to a whole one"));
        }
        Ok(grain)
    }
}

/// A descriptor may have comments and blank lines before `version=` (QEMU, `vmdk_probe`).
fn is_descriptor(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    text.starts_with("# Disk DescriptorFile")
        || first.is_some_and(|line| {
            line.strip_prefix("version=").is_some_and(|version| version.parse::<u8>().is_ok())
        })
}

/// What a descriptor says. One that is not within a sparse extent describes other files.
fn described(text: &str, capacity: Option<u64>) -> Facts {
    // Space behind the descriptor is zeros; but whoever reads on must not find more than we do.
    let lines = || text.split(['\n', '\r', '\0']).map(str::trim);
    let value = |key: &str| {
        lines()
            .find_map(|line| Some(line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim()))
    };
    let kind = value("createType").unwrap_or_default().trim_matches('"');
    let extents: Vec<Extent<'_>> = lines().filter_map(Extent::parse).collect();
    let mut references = Vec::new();
    if text.contains("parentFileNameHint") || value("parentCID").is_some_and(|id| id != NO_PARENT) {
        let hint = value("parentFileNameHint").unwrap_or_default().trim_matches('"');
        references.push(Reference::new(ReferenceKind::Parent, hint));
    }
    let contained = capacity.is_some() && SELF_CONTAINED.contains(&kind) && extents.len() <= 1;
    let foreign = extents.iter().filter(|extent| !contained || extent.is_elsewhere());
    references.extend(foreign.map(|extent| Reference::new(ReferenceKind::Extent, extent.name)));
    if !contained && references.is_empty() {
        references.push(Reference::new(ReferenceKind::Extent, ""));
    }
    let sectors = capacity.unwrap_or_else(|| extents.iter().map(|extent| extent.sectors).sum());
    Facts {
        virtual_size: Some(sectors.saturating_mul(SECTOR)),
        cluster_size: None,
        references,
        details: vec![("create-type", Detail::Text(kind.to_owned()))],
    }
}

/// A line that describes an extent: `RW 4192256 SPARSE "disk.vmdk"`.
struct Extent<'a> {
    sectors: u64,
    kind: &'a str,
    name: &'a str,
}

impl<'a> Extent<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        ["RW", "RDONLY", "NOACCESS"].contains(&words.next()?).then_some(())?;
        let sectors = words.next()?.parse().unwrap_or(0);
        let kind = words.next().unwrap_or_default();
        Some(Extent { sectors, kind, name: line.split('"').nth(1).unwrap_or_default() })
    }

    /// Whether it could be another file than the image itself, whose name once was just this.
    fn is_elsewhere(&self) -> bool {
        self.kind != "SPARSE" || self.name.contains(['/', '\\', ':'])
    }
}

fn malformed(what: impl Into<String>) -> InspectError {
    InspectError::malformed("vmdk", what)
}
