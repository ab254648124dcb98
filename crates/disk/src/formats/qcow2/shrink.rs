//! A smaller disk in the same image.
//!
//! What is cut off is first taken out of the tables, then the header gets the new size, then the
//! clusters are given back. A crash in between leaves clusters that nobody refers to, at worst.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::cluster::{self, COPIED, Place};
use super::compression::inflate;
use super::header::Header;
use super::l2_tables;
use super::refcounts::Refcounts;
use super::resize;
use crate::error::{Error, Result};
use crate::file::read_or_zeros;
use crate::inspect::InspectError;

/// An image whose disk becomes smaller.
struct Cut<'a> {
    file: &'a File,
    path: &'a Path,
    header: Header,
    refcounts: Refcounts<'a>,
    /// Where the disk will end.
    size: u64,
    /// Runs of bytes of the file that the disk does not use any more.
    freed: Vec<(u64, u64)>,
}

/// Makes the disk smaller.
pub(super) fn shrink(file: &File, path: &Path, size: u64) -> Result<()> {
    let header = resize::header(path)?;
    if header.snapshots > 0 {
        let what = "it has snapshots, which would lose their end; delete them first";
        return Err(Error::NotHandled { path: path.to_owned(), what });
    }
    let refcounts = Refcounts::open(file, &header).map_err(Error::at(path))?;
    let size = size.next_multiple_of(512);
    let mut cut = Cut { file, path, header, refcounts, size, freed: Vec::new() };
    cut.tables()?;
    cut.give_back().map_err(Error::at(path))
}

impl Cut<'_> {
    /// Takes everything behind the new end out of the tables.
    fn tables(&mut self) -> Result<()> {
        let (l1, l1_size) = (self.header.l1_table_offset, self.header.l1_size as usize);
        let l1_entries = l2_tables::read(self.file, l1, l1_size * 8).map_err(self.at())?;
        let first = (self.size / self.header.l2_reach()) as usize;
        for (index, entry) in l1_entries.iter().enumerate().skip(first) {
            let table = cluster::l2_table(&self.header, *entry).map_err(self.fault())?;
            if let Some(table) = table
                && self.table(index as u64, table)? == Rest::Nothing
            {
                self.freed.push((table, self.header.cluster()));
                self.file.write_all_at(&[0; 8], l1 + index as u64 * 8).map_err(self.at())?;
            }
        }
        Ok(())
    }

    /// Takes what is behind the new end out of an L2 table.
    fn table(&mut self, index: u64, table: u64) -> Result<Rest> {
        let (cluster, width) = (self.header.cluster(), self.header.l2_entry());
        let kept = self.size.saturating_sub(index * self.header.l2_reach());
        let entries = l2_tables::read(self.file, table, cluster as usize).map_err(self.at())?;
        let entries: Vec<u64> =
            entries.chunks_exact((width / 8) as usize).map(|entry| entry[0]).collect();
        let whole = kept.div_ceil(cluster);
        for entry in &entries[whole as usize..] {
            self.freed.extend(self.held(*entry)?);
        }
        if whole == 0 {
            return Ok(Rest::Nothing);
        }
        let end = whole * width;
        let zeros = vec![0; (cluster - end) as usize];
        self.file.write_all_at(&zeros, table + end).map_err(self.at())?;
        if !kept.is_multiple_of(cluster) {
            let last = whole - 1;
            self.clear_tail(entries[last as usize], table + last * width, kept % cluster)?;
        }
        Ok(Rest::Something)
    }

    /// The run of the file that an entry refers to.
    fn held(&self, entry: u64) -> Result<Option<(u64, u64)>> {
        let cluster = self.header.cluster();
        let (place, _) = cluster::place(&self.header, entry, None, 0).map_err(self.fault())?;
        Ok(match place {
            Place::Data(offset) => Some((offset, cluster)),
            Place::Compressed { offset, length } => Some((offset, length)),
            Place::Backing | Place::Zero => cluster::kept(entry).map(|offset| (offset, cluster)),
        })
    }

    /// Makes zeros of a cluster behind its first `kept` bytes: a disk that grows again is empty
    /// there. A compressed cluster is written anew for that.
    fn clear_tail(&mut self, entry: u64, entry_offset: u64, kept: u64) -> Result<()> {
        let cluster = self.header.cluster() as usize;
        let (place, _) = cluster::place(&self.header, entry, None, 0).map_err(self.fault())?;
        match place {
            Place::Data(offset) => {
                let zeros = vec![0; cluster - kept as usize];
                self.file.write_all_at(&zeros, offset + kept).map_err(self.at())
            }
            Place::Compressed { offset, length } => {
                let mut compressed = vec![0; length as usize];
                read_or_zeros(self.file, &mut compressed, offset).map_err(self.at())?;
                let kind = self.header.compression_type;
                let mut whole = inflate(kind, &compressed, cluster).map_err(self.fault())?;
                whole[kept as usize..].fill(0);
                self.freed.push((offset, length));
                self.write_anew(&whole, entry_offset).map_err(Error::at(self.path))
            }
            Place::Backing | Place::Zero => Ok(()),
        }
    }

    fn write_anew(&mut self, whole: &[u8], entry_offset: u64) -> io::Result<()> {
        let offset = self.refcounts.claim(1)?;
        self.file.write_all_at(whole, offset)?;
        self.file.write_all_at(&(offset | COPIED).to_be_bytes(), entry_offset)
    }

    fn give_back(mut self) -> io::Result<()> {
        self.header.size = self.size;
        let (offset, clusters) = self.refcounts.table();
        self.header.refcount_table_offset = offset;
        self.header.refcount_table_clusters = clusters;
        resize::write_header(self.file, &self.header)?;
        let refcounts = &mut self.refcounts;
        self.freed
            .iter()
            .try_for_each(|(offset, length)| refcounts.drop_reference(*offset, *length))
    }

    fn at(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::at(self.path)
    }

    fn fault(&self) -> impl FnOnce(InspectError) -> Error + '_ {
        |why| Error::image(self.path, why)
    }
}

/// What is left of an L2 table.
#[derive(PartialEq, Eq)]
enum Rest {
    Nothing,
    Something,
}
