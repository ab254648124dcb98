//! The formats of disk images, a file each. To add one: a file with a type that implements
//! [`Format`], and a line in [`FORMATS`].

mod blocks;
mod iso;
mod luks;
mod opaque;
mod parallels;
mod partitioned;
pub(crate) mod qcow2;
mod qed;
mod raw;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

use std::fmt::Debug;
use std::fs::File;
use std::path::Path;

use crate::convert::Writer;
use crate::create::Options;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::file::ImageFile;
use crate::inspect::InspectError;
use crate::size::ByteSize;
use crate::view::{Halt, View};

/// What comes of looking at an image: its facts, or why the parser stops.
pub(crate) type Looked = std::result::Result<Facts, Halt>;

/// A format of disk images. Every format can be recognized and inspected; the rest are abilities,
/// which a format without them refuses.
pub(crate) trait Format: Debug + Sync {
    /// Its name, as the Image API's `disk_format` has it where it has one.
    fn name(&self) -> &'static str;

    /// Whether an image that begins so is of this format.
    fn recognize(&self, head: &[u8]) -> bool;

    /// Whether an image that is declared as this format may be recognized as that one.
    fn takes(&self, found: Option<&dyn Format>) -> bool {
        found.is_some_and(|found| found.name() == self.name())
    }

    /// What the metadata says. That it refers to other files is a fact here, no reason to stop.
    ///
    /// # Errors
    /// [`Halt::Refuse`] when the metadata is not what the specification allows.
    fn inspect(&self, view: &View) -> Looked;

    /// What a disk that begins so has in it that it should not, although it can be read.
    fn fault(&self, _head: &[u8]) -> Option<&'static str> {
        None
    }

    /// Opens an image for reading. What it refers to may be followed; `depth` is how many images
    /// have referred to this one.
    fn open(&self, _image: ImageFile, _depth: usize) -> Result<Box<dyn Disk>> {
        Err(self.unsupported("reading"))
    }

    /// Begins a new image of a disk of `size` in an empty file. With nothing written to it, it is an
    /// empty disk.
    fn write(
        &self,
        _file: File,
        _path: &Path,
        _size: ByteSize,
        _options: &Options,
    ) -> Result<Box<dyn Writer>> {
        Err(self.unsupported("writing"))
    }

    /// Makes the disk larger, in place: a crash leaves it as large as it was, or as it should be.
    fn grow(&self, _file: &File, _path: &Path, _size: ByteSize) -> Result<()> {
        Err(self.unsupported("resizing"))
    }

    /// Cuts off the end of the disk, in place.
    fn shrink(&self, _file: &File, _path: &Path, _size: ByteSize) -> Result<()> {
        Err(self.unsupported("shrinking in place"))
    }

    /// The error of a format that lacks an ability.
    fn unsupported(&self, what: &'static str) -> Error {
        Error::Unsupported { format: self.name(), what }
    }
}

/// Every format, those first whose marks are the surest: an image has the first that recognizes it.
const FORMATS: &[&dyn Format] = &[
    &qcow2::Qcow2,
    &qed::Qed,
    &vhdx::Vhdx,
    &vhd::Vhd,
    &luks::Luks,
    &parallels::Parallels,
    &vmdk::Vmdk,
    &vdi::Vdi,
    &iso::Iso,
    &partitioned::GPT,
    &partitioned::MBR,
    &raw::Raw,
];

/// Formats that an image can only be declared as.
const OPAQUE: &[&dyn Format] = &[&opaque::AMI, &opaque::AKI, &opaque::ARI, &opaque::PLOOP];

/// The format that an image is declared as.
pub(crate) fn declared(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().chain(OPAQUE).copied().find(|format| format.name() == name)
}

/// The format of that name; QEMU calls VHD `vpc`.
pub(crate) fn named(name: &str) -> Result<&'static dyn Format> {
    let wanted = if name == "vpc" { "vhd" } else { name };
    FORMATS.iter().copied().find(|format| format.name() == wanted).ok_or_else(|| {
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        Error::UnknownFormat { name: name.to_owned(), known: known.join(", ") }
    })
}

/// The fault of an image whose content is of another format than was said.
pub(crate) fn mismatch(declared: &dyn Format, found: Option<&dyn Format>) -> InspectError {
    let found = found.map_or("of no format that is known", Format::name);
    InspectError::Mismatch { declared: declared.name(), found }
}

/// The format that the beginning of an image shows; none where it shows none.
pub(crate) fn recognize(view: &View) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognize(view.head()))
}

/// Refuses a partition table that the specification does not allow.
pub(crate) fn expect_sound(view: &View) -> std::result::Result<(), InspectError> {
    let fault = recognize(view).and_then(|found| found.fault(view.head()));
    fault.map_or(Ok(()), |fault| Err(InspectError::Partitions(fault)))
}

/// The format of an image that nobody has declared: what its beginning shows, else raw. A disk with
/// a partition table is raw.
pub(crate) fn assumed(view: &View) -> &'static dyn Format {
    match recognize(view) {
        Some(found) if !raw::Raw.takes(Some(found)) => found,
        _ => &raw::Raw,
    }
}
