//! ISO 9660 (ECMA-119), and UDF behind it: discs to install from.

use super::{Format, Looked};
use crate::facts::Facts;
use crate::view::View;

/// `iso`.
#[derive(Debug)]
pub(crate) struct Iso;

/// The volume descriptors begin at sector 16 of 2048 bytes (ECMA-119, 6.2.1 and 8); each has its
/// mark behind its type. The first is followed by others, so any of the first three counts.
const DESCRIPTORS: [usize; 3] = [0x8000, 0x8800, 0x9000];
const MARKS: [&[u8]; 3] = [b"CD001", b"BEA01", b"NSR02"];

impl Format for Iso {
    fn name(&self) -> &'static str {
        "iso"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        DESCRIPTORS.iter().any(|at| {
            let mark = head.get(at + 1..at + 6);
            mark.is_some_and(|mark| MARKS.contains(&mark))
        })
    }

    fn inspect(&self, view: &View) -> Looked {
        Ok(Facts { virtual_size: Some(view.length()?), ..Facts::default() })
    }
}
