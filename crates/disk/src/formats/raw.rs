//! The disk's bytes and nothing else.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;

use super::{Format, Looked};
use crate::convert::{Chunk, Writer};
use crate::create::{Compression, Options, Preallocation};
use crate::disk::{Disk, Extent, ExtentKind};
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::file::{ImageFile, length, read_or_zeros};
use crate::size::ByteSize;
use crate::view::View;

/// `raw`.
#[derive(Debug)]
pub(crate) struct Raw;

/// What may be found in a disk: partitions, or encryption that the instance undoes.
const CONTENTS: &[&str] = &["gpt", "mbr", "luks"];

impl Format for Raw {
    fn name(&self) -> &'static str {
        "raw"
    }

    /// It has no mark.
    fn recognize(&self, _: &[u8]) -> bool {
        false
    }

    fn takes(&self, found: Option<&dyn Format>) -> bool {
        found.is_none_or(|found| CONTENTS.contains(&found.name()))
    }

    fn inspect(&self, view: &View) -> Looked {
        Ok(Facts { virtual_size: Some(view.length()?), ..Facts::default() })
    }

    fn open(&self, image: ImageFile, _: usize) -> Result<Box<dyn Disk>> {
        let size = length(&image.file).map_err(Error::at(&image.path))?;
        Ok(disk(image, size))
    }

    fn write(
        &self,
        file: File,
        path: &Path,
        size: ByteSize,
        options: &Options,
    ) -> Result<Box<dyn Writer>> {
        let unfit = [
            (options.backing.is_some(), "a backing file"),
            (options.compression != Compression::None, "compression"),
        ];
        if let Some((_, what)) = unfit.iter().find(|(asked, _)| *asked) {
            return Err(Error::Unsupported { format: "raw", what });
        }
        let size = size.bytes().next_multiple_of(512);
        reserve(&file, size, options.preallocation).map_err(Error::at(path))?;
        Ok(Box::new(Image { file }))
    }

    fn grow(&self, file: &File, path: &Path, size: ByteSize) -> Result<()> {
        file.set_len(size.bytes()).map_err(Error::at(path))
    }

    fn shrink(&self, file: &File, path: &Path, size: ByteSize) -> Result<()> {
        file.set_len(size.bytes()).map_err(Error::at(path))
    }
}

/// The disk whose bytes begin a file.
pub(super) fn disk(image: ImageFile, size: u64) -> Box<dyn Disk> {
    Box::new(Reader { path: image.path, file: image.file, size })
}

fn reserve(file: &File, size: u64, preallocation: Preallocation) -> io::Result<()> {
    match preallocation {
        Preallocation::Off => file.set_len(size),
        Preallocation::Falloc if size > 0 => {
            rustix::fs::fallocate(file, FallocateFlags::empty(), 0, size).map_err(Into::into)
        }
        Preallocation::Falloc => Ok(()),
        Preallocation::Full => {
            let zeros = vec![0; 1 << 20];
            let mut offset = 0;
            while offset < size {
                let length = (size - offset).min(zeros.len() as u64);
                file.write_all_at(&zeros[..length as usize], offset)?;
                offset += length;
            }
            Ok(())
        }
    }
}

struct Image {
    file: File,
}

impl Writer for Image {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.file.write_all_at(&chunk.data, chunk.offset)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Reader {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Disk for Reader {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        read_or_zeros(&self.file, buffer, offset).map_err(Error::at(&self.path))
    }

    /// The file system knows where the file has holes.
    fn extent(&self, offset: u64) -> Result<Extent> {
        let rest = self.size - offset;
        let data = match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(data) => data,
            // Nothing but a hole until the end.
            Err(Errno::NXIO) => return Ok(Extent { length: rest, kind: ExtentKind::Zero }),
            // A file system without the notion.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                return Ok(Extent { length: rest, kind: ExtentKind::Data });
            }
            Err(why) => return Err(Error::at(&self.path)(why.into())),
        };
        if data > offset {
            let length = (data - offset).min(rest);
            return Ok(Extent { length, kind: ExtentKind::Zero });
        }
        let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(offset)).unwrap_or(self.size);
        let length = hole.saturating_sub(offset).clamp(1, rest);
        Ok(Extent { length, kind: ExtentKind::Data })
    }
}
