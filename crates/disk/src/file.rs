//! An image file that is looked at, with the same eyes as an upload.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::formats::{self, Format};
use crate::view::{HEAD, Halt, View};

/// An image file, open for reading, and what its metadata says.
#[derive(Debug)]
pub(crate) struct ImageFile {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) format: &'static dyn Format,
    pub(crate) facts: Facts,
}

impl ImageFile {
    /// Runs a parser over the file once more, for more than the facts.
    pub(crate) fn read<T>(
        &self,
        parse: impl Fn(&View) -> std::result::Result<T, Halt>,
    ) -> Result<T> {
        let mut view = View::default();
        look(&self.path, &self.file, &parse, &mut view)
    }

    /// Refuses an image that refers to other files: of a format whose references nobody follows.
    pub(crate) fn expect_whole(&self) -> Result<()> {
        let Some(reference) = self.facts.references.first() else { return Ok(()) };
        Err(Error::Refers { path: self.path.clone(), reference: reference.clone() })
    }

    /// Opens an image of the format that is named, else of the one that it shows.
    pub(crate) fn open(path: &Path, format: Option<&str>) -> Result<ImageFile> {
        let at = || Error::at(path);
        let file = File::open(path).map_err(at())?;
        if file.metadata().map_err(at())?.is_dir() {
            return Err(at()(io::ErrorKind::IsADirectory.into()));
        }
        let mut view = View::default();
        view.extend_head(&head(&file).map_err(at())?);
        let (format, found) = match format {
            Some(name) => (formats::named(name)?, formats::recognize(&view)),
            None => (formats::assumed(&view), None),
        };
        // A disk may hold an image; only where the format has a mark must it be there.
        if found.is_some() && format.name() != "raw" && !format.takes(found) {
            return Err(Error::image(path, formats::mismatch(format, found)));
        }
        let facts = look(path, &file, &|view: &View| format.inspect(view), &mut view)?;
        Ok(ImageFile { path: path.to_owned(), file, format, facts })
    }
}

/// Refuses a file that is a disk with a partition table that UEFI's specification does not allow.
///
/// # Errors
/// [`Error::Io`], [`Error::Image`].
pub fn expect_sound_partitions(path: &Path) -> Result<()> {
    let mut view = View::default();
    let file = File::open(path).map_err(Error::at(path))?;
    view.extend_head(&head(&file).map_err(Error::at(path))?);
    formats::expect_sound(&view).map_err(|why| Error::image(path, why))
}

fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Runs a parser over a file.
fn look<T>(
    path: &Path,
    file: &File,
    parse: &dyn Fn(&View) -> std::result::Result<T, Halt>,
    view: &mut View,
) -> Result<T> {
    loop {
        match parse(view) {
            Ok(found) => return Ok(found),
            Err(Halt::Refuse(why)) => return Err(Error::image(path, why)),
            Err(Halt::NeedEnd) => end(file, view).map_err(Error::at(path))?,
            Err(Halt::Need(range)) => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                match file.read_exact_at(&mut bytes, range.start) {
                    Ok(()) => view.add(range.start, bytes),
                    // The parser is told where the image ends, and says what is missing.
                    Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => {
                        end(file, view).map_err(Error::at(path))?;
                    }
                    Err(why) => return Err(Error::at(path)(why)),
                }
            }
        }
    }
}

fn end(file: &File, view: &mut View) -> io::Result<()> {
    let length = length(file)?;
    let kept = length.min(512);
    let mut tail = vec![0; kept as usize];
    file.read_exact_at(&mut tail, length - kept)?;
    view.end(length, &tail);
    Ok(())
}

/// Bytes of a file or a block device.
pub(crate) fn length(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    if metadata.file_type().is_block_device() {
        // A device's length is where its end can be sought.
        return rustix::fs::seek(file, rustix::fs::SeekFrom::End(0)).map_err(Into::into);
    }
    Ok(metadata.size())
}

/// Fills a buffer; what is behind the file's end is zeros.
pub(crate) fn read_or_zeros(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.read_at(buffer, offset) {
            Ok(0) => {
                buffer.fill(0);
                break;
            }
            Ok(count) => {
                offset += count as u64;
                buffer = &mut buffer[count..];
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}
