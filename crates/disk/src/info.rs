//! What an image file is.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::file::{self, ImageFile};
use crate::size::ByteSize;

/// What an image file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The file.
    pub path: PathBuf,
    /// Its format, as the Image API names it.
    pub format: &'static str,
    /// Bytes of the file, holes included.
    pub length: ByteSize,
    /// Bytes that it takes of its file system.
    pub allocated: ByteSize,
    /// What its metadata says.
    pub facts: Facts,
}

/// Looks at an image, of the format that is named or else of the one that it shows. Nothing that it
/// refers to is opened.
///
/// # Errors
/// [`Error::Io`], [`Error::Image`], [`Error::UnknownFormat`].
pub fn info(path: &Path, format: Option<&str>) -> Result<Info> {
    let image = ImageFile::open(path, format)?;
    let metadata = image.file.metadata().map_err(Error::at(path))?;
    let length = file::length(&image.file).map_err(Error::at(path))?;
    Ok(Info {
        path: path.to_owned(),
        format: image.format.name(),
        length: ByteSize::new(length),
        allocated: ByteSize::new(metadata.blocks() * 512),
        facts: image.facts,
    })
}
