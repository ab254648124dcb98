//! What an image's metadata says.

use std::fmt;

/// What was found in an image's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Bytes of the disk that the image describes; none where the format has no such notion.
    pub virtual_size: Option<u64>,
    /// Bytes of an allocation unit.
    pub cluster_size: Option<u64>,
    /// Everything outside the image that whoever opens it would open, too.
    pub references: Vec<Reference>,
    /// What only this format has, by `qemu-img info`'s names.
    pub details: Vec<(&'static str, Detail)>,
}

/// A value among the details of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A word.
    Text(String),
    /// A number.
    Number(u64),
    /// Whether something is so.
    Flag(bool),
}

/// Something outside an image that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it is to the image.
    pub kind: ReferenceKind,
    /// Its name as the image has it: mostly a path; empty when the image does not say.
    pub name: String,
    /// Its format as the image has it.
    pub format: Option<String>,
}

/// What something outside is to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// What is read where the image holds nothing: qcow2's backing file, QED's.
    BackingFile,
    /// Where all of the image's content is: qcow2's external data file.
    DataFile,
    /// A part of the disk: VMDK's extents.
    Extent,
    /// The image that this one differs from: VHD, VHDX, VDI, VMDK.
    Parent,
}

impl Reference {
    /// A reference of a kind, by name.
    pub(crate) fn new(kind: ReferenceKind, name: impl Into<String>) -> Self {
        Reference { kind, name: name.into(), format: None }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ReferenceKind::BackingFile => "a backing file",
            ReferenceKind::DataFile => "an external data file",
            ReferenceKind::Extent => "an extent in another file",
            ReferenceKind::Parent => "a parent image",
        })?;
        // Shown escaped: the name is whatever somebody put there.
        if self.name.is_empty() { Ok(()) } else { write!(f, " {:?}", self.name) }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Detail::Text(text) => text.fmt(f),
            Detail::Number(number) => number.fmt(f),
            Detail::Flag(flag) => flag.fmt(f),
        }
    }
}
