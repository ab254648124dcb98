//! Formats of the Image API whose content has no mark of its own: so it must not have that of
//! another format, which whoever opens the image might take it for.

use super::{Format, Looked};
use crate::facts::Facts;
use crate::view::View;

/// A format that bytes are only said to be of.
#[derive(Debug)]
pub(crate) struct Opaque {
    name: &'static str,
    /// What it may be recognized as all the same.
    contents: &'static [&'static str],
}

/// The parts of Amazon's machine images: a disk, a kernel, a ramdisk. Glance takes none of them with
/// the signature of a partition table, which Linux's kernels for x86 have: those are kept in the
/// container of the same name, which nothing looks into.
pub(super) const AMI: Opaque = Opaque { name: "ami", contents: &[] };
pub(super) const AKI: Opaque = Opaque { name: "aki", contents: &[] };
pub(super) const ARI: Opaque = Opaque { name: "ari", contents: &[] };

/// Virtuozzo's, which are Parallels' (QEMU, docs/interop/parallels.rst).
pub(super) const PLOOP: Opaque = Opaque { name: "ploop", contents: &["parallels"] };

impl Format for Opaque {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognize(&self, _: &[u8]) -> bool {
        false
    }

    fn takes(&self, found: Option<&dyn Format>) -> bool {
        found.is_none_or(|found| self.contents.contains(&found.name()))
    }

    /// How large the disk is, only who uses it can tell.
    fn inspect(&self, _: &View) -> Looked {
        Ok(Facts::default())
    }
}
