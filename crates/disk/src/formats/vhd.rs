//! VHD (Virtual Hard Disk Image Format Specification 1.0): `vpc` to QEMU.

use super::raw::Raw;
use super::{Format, Looked};
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::inspect::InspectError;
use crate::view::{View, number};

/// `vhd`.
#[derive(Debug)]
pub(crate) struct Vhd;

/// A footer's cookie. A disk of fixed size has its footer at the end only; the others have a copy
/// of it at the beginning.
const COOKIE: &[u8] = b"conectix";
const FOOTER: u64 = 512;
const TYPES: [(u32, &str); 3] = [(2, "fixed"), (3, "dynamic"), (4, "differencing")];
const DIFFERENCING: u32 = 4;

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
            return Err(InspectError::malformed("vhd", what).into());
        }
        facts(tail)
    }
}

/// What a footer says ("Hard Disk Footer Format").
fn facts(footer: &[u8]) -> Looked {
    let kind = number::be32(footer, 60);
    let Some((_, name)) = TYPES.iter().find(|(number, _)| *number == kind) else {
        let what = format!("disk type {kind}, of which 2, 3 and 4 are known");
        return Err(InspectError::malformed("vhd", what).into());
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
