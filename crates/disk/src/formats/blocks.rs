//! Disks that are kept in blocks, with tables that say where each of them is: what there is to read
//! in VDI, VHD, VHDX and VMDK.
//!
//! Tables are not kept: an entry is read where it is needed, whatever their lengths are said to be.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::disk::{Disk, Extent, ExtentKind};
use crate::error::{Error, Result};
use crate::file::{ImageFile, read_or_zeros};
use crate::inspect::InspectError;

/// Where a part of a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it reads as zeros.
    Zero,
    /// In the file, from this byte on.
    Data(u64),
    /// In a block that is compressed: the file's byte where that begins.
    Compressed(u64),
}

/// The tables of a format.
pub(super) trait Tables: Debug + Send + Sync {
    /// Where the byte of the disk at `offset` is, and how many follow it in the same way.
    fn place(&self, stored: &Stored, offset: u64) -> Result<(Place, u64)>;

    /// The block that is compressed at byte `place` of the file, and has the disk's byte at `offset`.
    fn decompress(&self, stored: &Stored, _place: u64, _offset: u64) -> Result<Vec<u8>> {
        Err(stored.malformed("compressed blocks, which it can't have"))
    }

    /// Bytes of a block.
    fn block(&self) -> u64;
}

/// The file of an image.
#[derive(Debug)]
pub(super) struct Stored {
    path: PathBuf,
    file: File,
    format: &'static str,
}

impl Stored {
    /// `N` bytes at `offset`. Errors: [`Error::Io`], also where the file ends before them.
    pub(super) fn bytes<const N: usize>(&self, offset: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes, offset)?;
        Ok(bytes)
    }

    pub(super) fn read_exact(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        if i64::try_from(offset).is_err() {
            return Err(self.malformed(format!("a table leads to byte {offset}")));
        }
        let read = self.file.read_exact_at(buffer, offset);
        read.map_err(|why| Error::at(&self.path)(at_byte(why, offset)))
    }

    /// What a table says is not what the format allows.
    pub(super) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::image(&self.path, InspectError::malformed(self.format, what))
    }
}

fn at_byte(why: io::Error, offset: u64) -> io::Error {
    match why.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(why.kind(), format!("the file ends before what is at byte {offset}"))
        }
        _ => why,
    }
}

/// An open image.
#[derive(Debug)]
pub(super) struct Reader<T> {
    stored: Stored,
    size: u64,
    tables: T,
}

impl<T: Tables + 'static> Reader<T> {
    /// Of a disk of `size` bytes.
    pub(super) fn open(image: ImageFile, size: u64, tables: T) -> Box<dyn Disk> {
        let ImageFile { path, file, format, .. } = image;
        Box::new(Self { stored: Stored { path, file, format: format.name() }, size, tables })
    }

    fn read_compressed(&self, part: &mut [u8], place: u64, offset: u64) -> Result<()> {
        let block = self.tables.decompress(&self.stored, place, offset)?;
        let within = (offset % self.tables.block()) as usize;
        let Some(found) = block.get(within..within + part.len()) else {
            return Err(self.stored.malformed("a compressed block that is too short"));
        };
        part.copy_from_slice(found);
        Ok(())
    }
}

impl<T: Tables + 'static> Disk for Reader<T> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], mut offset: u64) -> Result<()> {
        let inside = self.size.saturating_sub(offset).min(buffer.len() as u64);
        let (mut inside, behind) = buffer.split_at_mut(inside as usize);
        behind.fill(0);
        while !inside.is_empty() {
            let (place, length) = self.tables.place(&self.stored, offset)?;
            let length = length.min(inside.len() as u64);
            let part;
            (part, inside) = inside.split_at_mut(length as usize);
            match place {
                Place::Zero => part.fill(0),
                Place::Data(place) => read_or_zeros(&self.stored.file, part, place)
                    .map_err(Error::at(&self.stored.path))?,
                Place::Compressed(place) => self.read_compressed(part, place, offset)?,
            }
            offset += length;
        }
        Ok(())
    }

    fn extent(&self, offset: u64) -> Result<Extent> {
        let (place, length) = self.tables.place(&self.stored, offset)?;
        let kind = if place == Place::Zero { ExtentKind::Zero } else { ExtentKind::Data };
        Ok(Extent { length: length.min(self.size - offset), kind })
    }
}
