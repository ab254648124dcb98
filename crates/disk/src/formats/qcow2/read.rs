//! Reading the disk in a qcow2 image.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::cluster::{self, Place};
use super::compression::inflate;
use super::header::{Header, incompatible};
use super::l2_tables::{self, L2Tables};
use crate::disk::{self, Disk, Extent, ExtentKind, References};
use crate::error::{Error, Result};
use crate::facts::ReferenceKind;
use crate::file::{ImageFile, read_or_zeros};
use crate::inspect::InspectError;

/// An open image, with its backing file if it has one.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    file: File,
    header: Header,
    l1: Vec<u64>,
    tables: L2Tables,
    backing: Option<Box<dyn Disk>>,
}

impl Reader {
    pub(super) fn open(image: ImageFile, depth: usize) -> Result<Reader> {
        let header = image.read(Header::read)?;
        let ImageFile { path, file, facts, .. } = image;
        if let Some(data) = facts.references.iter().find(|r| r.kind == ReferenceKind::DataFile) {
            return Err(Error::Refers { path, reference: data.clone() });
        }
        if header.crypt_method != 0 {
            let what = "it is encrypted, and cannot be read without its key";
            return Err(Error::NotHandled { path, what });
        }
        let length = header.l1_size as usize * 8;
        let l1 =
            l2_tables::read(&file, header.l1_table_offset, length).map_err(Error::at(&path))?;
        let backing = match &header.backing_file {
            Some(name) => Some(backing(&path, name, header.backing_format.as_deref(), depth)?),
            None => None,
        };
        Ok(Reader { path, file, header, l1, tables: L2Tables::default(), backing })
    }

    /// Where what is at `offset` is, and how far it goes on so.
    fn place(&self, offset: u64) -> Result<(Place, u64)> {
        let header = &self.header;
        let reach = header.l2_reach();
        let entry = self.l1.get((offset / reach) as usize).copied().unwrap_or(0);
        let Some(table) = cluster::l2_table(header, entry).map_err(self.fault())? else {
            return Ok((Place::Backing, reach - offset % reach));
        };
        let length = header.cluster() as usize;
        let table = self.tables.get(&self.file, table, length).map_err(Error::at(&self.path))?;
        let index = (offset % reach / header.cluster()) as usize;
        let (entry, bitmap) = if header.incompatible & incompatible::EXTENDED_L2 != 0 {
            (table[index * 2], Some(table[index * 2 + 1]))
        } else {
            (table[index], None)
        };
        cluster::place(header, entry, bitmap, offset % header.cluster()).map_err(self.fault())
    }

    fn fault(&self) -> impl FnOnce(InspectError) -> Error {
        |why| Error::image(&self.path, why)
    }

    /// A place with all that follows it in the file in the same way, `most` bytes at most.
    fn run(&self, offset: u64, most: u64) -> Result<(Place, u64)> {
        let (place, mut length) = self.place(offset)?;
        while length < most {
            let (next, more) = self.place(offset + length)?;
            let follows = match (place, next) {
                (Place::Data(begin), Place::Data(next)) => begin + length == next,
                (Place::Backing, Place::Backing) | (Place::Zero, Place::Zero) => true,
                _ => false,
            };
            if !follows {
                break;
            }
            length += more;
        }
        Ok((place, length.min(most)))
    }

    fn read_compressed(
        &self,
        buffer: &mut [u8],
        offset: u64,
        place: u64,
        length: u64,
    ) -> Result<()> {
        let mut compressed = vec![0; length as usize];
        read_or_zeros(&self.file, &mut compressed, place).map_err(Error::at(&self.path))?;
        let cluster = self.header.cluster();
        let whole = inflate(self.header.compression_type, &compressed, cluster as usize)
            .map_err(self.fault())?;
        let within = (offset % cluster) as usize;
        buffer.copy_from_slice(&whole[within..within + buffer.len()]);
        Ok(())
    }
}

impl Disk for Reader {
    fn size(&self) -> u64 {
        self.header.size
    }

    fn read_at(&self, mut buffer: &mut [u8], mut offset: u64) -> Result<()> {
        let inside = self.size().saturating_sub(offset).min(buffer.len() as u64);
        let (mut inside, behind) = std::mem::take(&mut buffer).split_at_mut(inside as usize);
        behind.fill(0);
        while !inside.is_empty() {
            let (place, length) = self.run(offset, inside.len() as u64)?;
            let part;
            (part, inside) = inside.split_at_mut(length as usize);
            match (place, &self.backing) {
                (Place::Backing, Some(backing)) => backing.read_at(part, offset)?,
                (Place::Backing, None) | (Place::Zero, _) => part.fill(0),
                (Place::Data(place), _) => {
                    read_or_zeros(&self.file, part, place).map_err(Error::at(&self.path))?;
                }
                (Place::Compressed { offset: place, length }, _) => {
                    self.read_compressed(part, offset, place, length)?;
                }
            }
            offset += length;
        }
        Ok(())
    }

    fn extent(&self, offset: u64) -> Result<Extent> {
        let (place, length) = self.place(offset)?;
        let data = Extent { length, kind: ExtentKind::Data };
        match (place, &self.backing) {
            (Place::Data(_) | Place::Compressed { .. }, _) => Ok(data),
            (Place::Backing, Some(backing)) if offset < backing.size() => {
                let (_, length) = self.run(offset, backing.size() - offset)?;
                let extent = backing.extent(offset)?;
                Ok(Extent { length: extent.length.min(length), ..extent })
            }
            _ => Ok(Extent { length, kind: ExtentKind::Zero }),
        }
    }
}

/// Opens a backing file. Only files are: no other machine is asked for a disk.
fn backing(path: &Path, name: &str, format: Option<&str>, depth: usize) -> Result<Box<dyn Disk>> {
    let wrong = |why| Error::Backing { path: path.to_owned(), backing: name.to_owned(), why };
    if name.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(wrong("is no file"));
    }
    let format = format.ok_or_else(|| wrong("is of a format that is not said"))?;
    let file = super::resolve(path, name.as_ref());
    if !file.exists() {
        return Err(wrong("is not there"));
    }
    disk::open_in_chain(&file, Some(format), References::Follow, depth + 1)
}
