//! Reading the disk that an image describes.

use std::fmt::Debug;
use std::path::Path;

use crate::error::{Error, Result};
use crate::file::ImageFile;

/// The disk in an image.
pub trait Disk: Debug + Send + Sync {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` with what is at `offset`. Behind the disk's end there are zeros.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Image`] when the image's tables lead nowhere.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()>;

    /// The run of one kind that begins at `offset`, which is before the disk's end. It is not
    /// empty, and the one behind it may be of the same kind.
    ///
    /// # Errors
    /// As for [`Disk::read_at`].
    fn extent(&self, offset: u64) -> Result<Extent>;
}

/// A run of bytes of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its length in bytes.
    pub length: u64,
    /// What it holds.
    pub kind: ExtentKind,
}

/// What a run of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtentKind {
    /// Something was written there.
    Data,
    /// It reads as zeros, without being stored.
    Zero,
}

/// Whether files that an image names are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// Such an image is refused. The only choice for images of others.
    Refuse,
    /// Backing files are read, too.
    Follow,
}

/// A backing file of a backing file, and so on: more than anybody has, and an end to a circle.
const CHAIN: usize = 64;

/// Opens an image for reading, of the format that is named or else of the one that it shows.
///
/// # Errors
/// [`Error::Io`], [`Error::Image`], [`Error::UnknownFormat`]; [`Error::Unsupported`] for formats
/// that are only recognized; [`Error::Refers`] when the image refers to files and they are not to
/// be followed.
pub fn open(path: &Path, format: Option<&str>, references: References) -> Result<Box<dyn Disk>> {
    open_in_chain(path, format, references, 0)
}

pub(crate) fn open_in_chain(
    path: &Path,
    format: Option<&str>,
    references: References,
    depth: usize,
) -> Result<Box<dyn Disk>> {
    let image = ImageFile::open(path, format)?;
    let reference = image.facts.references.first();
    if let Some(reference) = reference
        && (references == References::Refuse || depth >= CHAIN)
    {
        return Err(Error::Refers { path: path.to_owned(), reference: reference.clone() });
    }
    image.format.open(image, depth)
}
