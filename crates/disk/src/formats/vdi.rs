//! VDI, VirtualBox's format (VirtualBox, VDICore.h; QEMU, block/vdi.c).

use super::{Format, Looked};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::inspect::InspectError;
use crate::view::{View, number};

/// `vdi`.
#[derive(Debug)]
pub(crate) struct Vdi;

const SIGNATURE: [u8; 4] = 0xbeda_107f_u32.to_le_bytes();
const VERSION: u32 = 0x0001_0001;
/// Types of image: one that grows, one of fixed size; what else there is differs from a parent.
const TYPES: [(u32, &str); 2] = [(1, "dynamic"), (2, "static")];

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
}
