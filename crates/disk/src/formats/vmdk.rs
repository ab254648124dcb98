//! VMDK (VMware, Virtual Disk Format 5.0).

use super::{Format, Looked};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::inspect::InspectError;
use crate::view::{View, number};

/// `vmdk`.
#[derive(Debug)]
pub(crate) struct Vmdk;

/// "Hosted Sparse Extents": the header's magic number, KDMV.
const SPARSE: &[u8] = b"KDMV";
/// An extent of ESX, which is never a whole disk.
const ESX_SPARSE: &[u8] = b"COWD";
const SECTOR: u64 = 512;
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
