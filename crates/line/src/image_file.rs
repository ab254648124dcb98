//! Disk image files, as the line handles them: overlays, copies, the file that comes out.

use std::ops::ControlFlow;
use std::path::{Path, absolute};

use disk::{Backing, ByteSize, Disk, Options, References, Resize, Shrink};
use machine::Cancel;

use crate::recipe::{Compression, Format};
use crate::work::DiskFile;
use crate::{Error, Result};

/// An empty image on top of a disk, which stays as it is.
pub(crate) fn overlay(base: &DiskFile, path: &Path) -> Result<()> {
    // The overlay is moved when its step is done; a relative name would lead elsewhere then.
    let file = absolute(&base.path).map_err(Error::at(&base.path))?;
    let backing = Backing { file, format: base.format.name().to_owned() };
    let options = Options { backing: Some(backing), ..Options::default() };
    Ok(disk::create(path, Format::Qcow2.name(), None, &options)?)
}

/// Bytes of the disk in an image of ours.
pub(crate) fn virtual_size(image: &DiskFile) -> Result<ByteSize> {
    open(image).map(|disk| ByteSize::new(disk.size()))
}

/// Writes a disk, with all that it stands on, into a new image of its own.
pub(crate) fn convert(
    image: &DiskFile,
    to: &Path,
    format: Format,
    compression: Compression,
    progress: &mut dyn FnMut(u64, u64),
    cancel: &Cancel,
) -> Result<()> {
    let compression = match (format, compression) {
        (Format::Qcow2, Compression::Compressed) => disk::Compression::Deflate,
        _ => disk::Compression::None,
    };
    let options = Options { compression, ..Options::default() };
    write(open(image)?.as_ref(), to, format, &options, progress, cancel)
}

/// Copies somebody's disk, which may be of any format that can be read, and makes it larger where
/// that is asked for. Files that it refers to are not followed: it is not ours.
pub(crate) fn import(
    path: &Path,
    to: &Path,
    size: Option<ByteSize>,
    progress: &mut dyn FnMut(u64, u64),
    cancel: &Cancel,
) -> Result<()> {
    let source = disk::open(path, None, References::Refuse)?;
    write(source.as_ref(), to, Format::Qcow2, &Options::default(), progress, cancel)?;
    if let Some(size) = size.filter(|size| size.bytes() > source.size()) {
        disk::resize(to, Some(Format::Qcow2.name()), Resize::To(size), Shrink::Refuse)?;
    }
    Ok(())
}

/// An image of ours may stand on others of ours.
fn open(image: &DiskFile) -> Result<Box<dyn Disk>> {
    Ok(disk::open(&image.path, Some(image.format.name()), References::Follow)?)
}

fn write(
    source: &dyn Disk,
    to: &Path,
    format: Format,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
    cancel: &Cancel,
) -> Result<()> {
    let mut watch = |done, total| {
        progress(done, total);
        if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(disk::convert(source, to, format.name(), options, &mut watch)?)
}
