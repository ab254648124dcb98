//! Parallels' images, which ploop's are too (QEMU, docs/interop/parallels.rst).

use super::{Format, Looked};
use crate::facts::{Detail, Facts};
use crate::view::{View, number};

/// `parallels`. The Image API's `ploop` is one of them, or a folder's worth in an archive.
#[derive(Debug)]
pub(crate) struct Parallels;

const OLD: &[u8] = b"WithoutFreeSpace";
const EXTENDED: &[u8] = b"WithouFreSpacExt";

impl Format for Parallels {
    fn name(&self) -> &'static str {
        "parallels"
    }

    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(OLD) || head.starts_with(EXTENDED)
    }

    fn inspect(&self, view: &View) -> Looked {
        let header = view.bytes(0, 64)?;
        let cluster = u64::from(number::le32(header, 28)) * 512;
        let sectors = number::le64(header, 36);
        // The older form has 32 bits of it, and something else behind.
        let extended = header.starts_with(EXTENDED);
        let sectors = if extended { sectors } else { sectors & u64::from(u32::MAX) };
        Ok(Facts {
            virtual_size: Some(sectors.saturating_mul(512)),
            cluster_size: Some(cluster),
            details: vec![("extended", Detail::Flag(extended))],
            ..Facts::default()
        })
    }
}
