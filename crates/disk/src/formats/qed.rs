//! QED, QEMU's enhanced disk format, which nobody makes any more (QEMU, docs/interop/qed_spec.rst).
//! It is recognized so that it is refused: the Image API has no such format.

use super::{Format, Looked};
use crate::facts::{Facts, Reference, ReferenceKind};
use crate::inspect::InspectError;
use crate::view::{View, number};

/// `qed`.
#[derive(Debug)]
pub(crate) struct Qed;

/// Incompatible feature: there is a backing file.
const BACKED: u64 = 1;

impl Format for Qed {
    fn name(&self) -> &'static str {
        "qed"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(b"QED\0")
    }

    fn inspect(&self, view: &View) -> Looked {
        let header = view.bytes(0, 64)?;
        let mut references = Vec::new();
        if number::le64(header, 16) & BACKED != 0 {
            let (offset, length) = (number::le32(header, 56), number::le32(header, 60));
            if length > 1023 {
                let what = format!("the backing file's name has {length} bytes, of 1023 at most");
                return Err(InspectError::malformed("qed", what).into());
            }
            let name = view.bytes(offset.into(), length.into())?;
            let name = String::from_utf8_lossy(name);
            references.push(Reference::new(ReferenceKind::BackingFile, name));
        }
        Ok(Facts {
            virtual_size: Some(number::le64(header, 48)),
            cluster_size: Some(number::le32(header, 4).into()),
            references,
            ..Facts::default()
        })
    }
}
