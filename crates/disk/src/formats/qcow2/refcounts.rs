//! Changing the refcounts of an image that is there ("Host cluster management").

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::header::Header;
use super::l2_tables;
use crate::file::length;

/// Bytes of a refcount: only QEMU's default of 16 bits is changed.
pub(super) const ORDER: u32 = 4;
const WIDTH: u64 = 2;

/// The refcounts of an open image. What is added goes to the file's end, so that a crash leaves
/// clusters that nobody refers to, at worst.
pub(super) struct Refcounts<'a> {
    file: &'a File,
    cluster: u64,
    table: Vec<u64>,
    table_offset: u64,
    end: u64,
}

impl<'a> Refcounts<'a> {
    pub(super) fn open(file: &'a File, header: &Header) -> io::Result<Refcounts<'a>> {
        let cluster = header.cluster();
        let bytes = u64::from(header.refcount_table_clusters) * cluster;
        let table = l2_tables::read(file, header.refcount_table_offset, bytes as usize)?;
        let end = length(file)?.next_multiple_of(cluster);
        let table_offset = header.refcount_table_offset;
        Ok(Refcounts { file, cluster, table, table_offset, end })
    }

    /// The table's place, and its length in clusters: they may have changed.
    pub(super) fn table(&self) -> (u64, u32) {
        (self.table_offset, (self.table.len() as u64 * 8 / self.cluster) as u32)
    }

    /// Takes new clusters at the end of the file, each counted once.
    pub(super) fn claim(&mut self, clusters: u64) -> io::Result<u64> {
        let offset = self.append(clusters)?;
        self.set(offset, clusters, 1)?;
        Ok(offset)
    }

    /// Gives clusters back.
    pub(super) fn release(&mut self, offset: u64, clusters: u64) -> io::Result<()> {
        self.set(offset, clusters, 0)
    }

    /// Counts one reference less to each cluster that `length` bytes at `offset` touch; those that
    /// nobody refers to any more give their room back to the file system.
    pub(super) fn drop_reference(&mut self, offset: u64, length: u64) -> io::Result<()> {
        for cluster in offset / self.cluster..=(offset + length - 1) / self.cluster {
            let place = cluster * self.cluster;
            let left = self.get(cluster)?.saturating_sub(1);
            self.set(place, 1, left)?;
            if left == 0 {
                punch(self.file, place, self.cluster)?;
            }
        }
        Ok(())
    }

    fn get(&mut self, cluster: u64) -> io::Result<u16> {
        let in_block = self.cluster / WIDTH;
        let block = self.block((cluster / in_block) as usize)?;
        let mut count = [0; WIDTH as usize];
        self.file.read_exact_at(&mut count, block + cluster % in_block * WIDTH)?;
        Ok(u16::from_be_bytes(count))
    }

    fn append(&mut self, clusters: u64) -> io::Result<u64> {
        let offset = self.end;
        self.end += clusters * self.cluster;
        self.file.set_len(self.end)?;
        Ok(offset)
    }

    fn set(&mut self, offset: u64, clusters: u64, count: u16) -> io::Result<()> {
        let (first, in_block) = (offset / self.cluster, self.cluster / WIDTH);
        for cluster in first..first + clusters {
            let block = self.block((cluster / in_block) as usize)?;
            self.file.write_all_at(&count.to_be_bytes(), block + cluster % in_block * WIDTH)?;
        }
        Ok(())
    }

    /// The place of a block of refcounts, which is made where there is none.
    fn block(&mut self, index: usize) -> io::Result<u64> {
        if index >= self.table.len() {
            self.grow_table(index + 1)?;
        }
        if self.table[index] == 0 {
            let offset = self.append(1)?;
            self.table[index] = offset;
            self.set(offset, 1, 1)?;
            let entry = self.table_offset + index as u64 * 8;
            self.file.write_all_at(&offset.to_be_bytes(), entry)?;
        }
        Ok(self.table[index])
    }

    /// A larger table, elsewhere: the header names the old one until the caller has written it.
    fn grow_table(&mut self, entries: usize) -> io::Result<()> {
        let (old, old_clusters) = self.table();
        let clusters = (entries as u64 * 8).div_ceil(self.cluster).max(u64::from(old_clusters) * 2);
        self.table.resize((clusters * self.cluster / 8) as usize, 0);
        self.table_offset = self.append(clusters)?;
        let bytes: Vec<u8> = self.table.iter().flat_map(|entry| entry.to_be_bytes()).collect();
        self.file.write_all_at(&bytes, self.table_offset)?;
        self.set(self.table_offset, clusters, 1)?;
        self.set(old, old_clusters.into(), 0)
    }
}

/// A hole, where the file system has such.
fn punch(file: &File, offset: u64, length: u64) -> io::Result<()> {
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match rustix::fs::fallocate(file, hole, offset, length) {
        Err(Errno::OPNOTSUPP) => Ok(()),
        punched => Ok(punched?),
    }
}
