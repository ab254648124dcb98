//! Disks with a partition table: raw images, recognized so that they can be told from others.

use super::{Format, Looked};
use crate::facts::Facts;
use crate::view::View;

/// A disk with a table of one kind.
#[derive(Debug)]
pub(crate) struct Partitioned {
    name: &'static str,
    mark: &'static [u8],
    at: usize,
}

/// UEFI Specification 2.10, 5.3.2: the header is in the sector behind the first.
pub(super) const GPT: Partitioned = Partitioned { name: "gpt", mark: b"EFI PART", at: 512 };

/// UEFI Specification 2.10, 5.2.1: the signature ends the first sector.
pub(super) const MBR: Partitioned = Partitioned { name: "mbr", mark: &[0x55, 0xaa], at: 510 };

impl Format for Partitioned {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.get(self.at..).is_some_and(|rest| rest.starts_with(self.mark))
    }

    fn inspect(&self, view: &View) -> Looked {
        Ok(Facts { virtual_size: Some(view.length()?), ..Facts::default() })
    }
}
