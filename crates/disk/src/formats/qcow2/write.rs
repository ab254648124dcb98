//! Writing a qcow2 image from its first to its last cluster.
//!
//! The header and the L1 table have their place at the beginning; content and L2 tables follow as
//! they come; the refcounts are last. Nothing is written twice and little is kept: one L2 table,
//! the L1 table, two bytes for each cluster of the file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::cluster::{COPIED, compressed_entry};
use super::header::Header;
use crate::convert::{Chunk, Writer};
use crate::create::{Compat, Compression, Options, Preallocation};
use crate::error::{Error, Result};
use crate::size::ByteSize;

/// "Reference count entries" of 16 bits, QEMU's default.
const REFCOUNT: u64 = 2;

/// An image that is being written.
pub(super) struct Image {
    file: File,
    header: Header,
    /// The byte behind the last that was given away.
    next: u64,
    l1: Vec<u64>,
    /// The table in work, and its index.
    l2: Option<(usize, Vec<u64>)>,
    refcounts: Vec<u16>,
}

impl Image {
    pub(super) fn begin(
        file: File,
        path: &Path,
        size: ByteSize,
        options: &Options,
    ) -> Result<Image> {
        let header = header(size, options)?;
        let mut image =
            Image { file, next: 0, l1: Vec::new(), l2: None, refcounts: Vec::new(), header };
        if image.header.to_bytes().len() as u64 > image.header.cluster() {
            let option = "cluster_size".to_owned();
            let why = "the backing file's name does not fit into a cluster".to_owned();
            return Err(Error::Option { option, why });
        }
        image.claim(image.header.cluster());
        image.header.l1_table_offset = image.next;
        image.l1 = vec![0; image.header.l1_size as usize];
        image.claim(u64::from(image.header.l1_size) * 8);
        let (file, next) = (&image.file, image.next);
        file.set_len(next).map_err(Error::at(path))?;
        Ok(image)
    }

    /// Takes whole clusters for `length` bytes at the end of the file, and returns where.
    fn claim(&mut self, length: u64) -> u64 {
        let cluster = self.header.cluster();
        let offset = self.next.next_multiple_of(cluster);
        self.refer(offset, length);
        self.next = (offset + length).next_multiple_of(cluster);
        offset
    }

    /// Counts a reference to each cluster that `length` bytes at `offset` touch.
    fn refer(&mut self, offset: u64, length: u64) {
        let bits = self.header.cluster_bits;
        let (first, last) = ((offset >> bits) as usize, ((offset + length - 1) >> bits) as usize);
        if self.refcounts.len() <= last {
            self.refcounts.resize(last + 1, 0);
        }
        self.refcounts[first..=last].iter_mut().for_each(|count| *count += 1);
    }

    fn write_plain(&mut self, chunk: &Chunk) -> io::Result<()> {
        let mut place = self.claim(chunk.data.len() as u64);
        self.file.write_all_at(&chunk.data, place)?;
        let end = chunk.offset + chunk.data.len() as u64;
        let mut offset = chunk.offset;
        while offset < end {
            self.map(offset, place | COPIED)?;
            offset += self.header.cluster();
            place += self.header.cluster();
        }
        Ok(())
    }

    /// Compressed clusters lie side by side, without regard to the file's clusters.
    fn write_compressed(&mut self, chunk: &Chunk) -> io::Result<()> {
        let (offset, length) = (self.next, chunk.data.len() as u64);
        self.file.write_all_at(&chunk.data, offset)?;
        self.refer(offset, length);
        self.next += length;
        self.map(chunk.offset, compressed_entry(&self.header, offset, length))
    }

    /// Enters a cluster into its L2 table.
    fn map(&mut self, offset: u64, entry: u64) -> io::Result<()> {
        let reach = self.header.l2_reach();
        let (table, index) =
            ((offset / reach) as usize, (offset % reach) >> self.header.cluster_bits);
        if self.l2.as_ref().is_none_or(|(current, _)| *current != table) {
            self.flush()?;
        }
        let entries = (self.header.cluster() / 8) as usize;
        let (_, l2) = self.l2.get_or_insert_with(|| (table, vec![0; entries]));
        l2[index as usize] = entry;
        Ok(())
    }

    /// Writes the L2 table in work.
    fn flush(&mut self) -> io::Result<()> {
        if let Some((index, table)) = self.l2.take() {
            let offset = self.claim(self.header.cluster());
            self.file.write_all_at(&big_endian(&table), offset)?;
            self.l1[index] = offset | COPIED;
        }
        Ok(())
    }

    /// Writes the refcounts, which count their own clusters too.
    fn write_refcounts(&mut self) -> io::Result<()> {
        let cluster = self.header.cluster();
        let used = self.next.div_ceil(cluster);
        let (blocks, table_clusters) = refcount_clusters(used, cluster);
        let table = self.claim(table_clusters * cluster);
        let first = self.claim(blocks * cluster);
        self.header.refcount_table_offset = table;
        self.header.refcount_table_clusters = table_clusters as u32;
        let places: Vec<u64> = (0..blocks).map(|block| first + block * cluster).collect();
        self.file.write_all_at(&big_endian(&places), table)?;
        let counts: Vec<u8> = self.refcounts.iter().flat_map(|count| count.to_be_bytes()).collect();
        self.file.write_all_at(&counts, first)
    }
}

impl Writer for Image {
    fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        match chunk.compression {
            Compression::None => self.write_plain(chunk),
            Compression::Deflate => self.write_compressed(chunk),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.write_refcounts()?;
        self.file.write_all_at(&big_endian(&self.l1), self.header.l1_table_offset)?;
        self.file.write_all_at(&self.header.to_bytes(), 0)?;
        self.file.set_len(self.next)
    }
}

/// How many blocks of refcounts a file with `used` other clusters needs, and how many clusters the
/// table of those blocks has.
fn refcount_clusters(used: u64, cluster: u64) -> (u64, u64) {
    let (mut blocks, mut table) = (1, 1);
    loop {
        let needed = (used + blocks + table).div_ceil(cluster / REFCOUNT);
        let needed_table = (needed * 8).div_ceil(cluster);
        if (needed, needed_table) == (blocks, table) {
            return (blocks, table);
        }
        (blocks, table) = (blocks.max(needed), table.max(needed_table));
    }
}

fn big_endian(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn header(size: ByteSize, options: &Options) -> Result<Header> {
    let wrong = |option: &str, why: &str| Error::Option { option: option.into(), why: why.into() };
    let cluster = options.cluster_size;
    if !cluster.is_power_of_two() || !(512..=2 << 20).contains(&cluster) {
        return Err(wrong("cluster_size", "it is a power of two from 512 to 2M"));
    }
    if options.preallocation != Preallocation::Off {
        return Err(wrong("preallocation", "a qcow2 image grows as it is written: only `off`"));
    }
    let backing = options.backing.as_ref();
    let mut header = Header {
        version: if options.compat == Compat::V0_10 { 2 } else { 3 },
        cluster_bits: cluster.trailing_zeros(),
        size: size.bytes().next_multiple_of(512),
        crypt_method: 0,
        l1_size: 0,
        l1_table_offset: 0,
        refcount_table_offset: 0,
        refcount_table_clusters: 0,
        snapshots: 0,
        incompatible: 0,
        compatible: 0,
        refcount_order: 4,
        compression_type: 0,
        backing_file: backing.map(|backing| backing.file.to_string_lossy().into_owned()),
        backing_format: backing.map(|backing| backing.format.clone()),
        data_file: None,
    };
    let needed = header.l1_needed(header.size).ok_or_else(|| {
        wrong("size", "the disk is too large for clusters of this size; take a larger cluster_size")
    })?;
    // A disk of no size has a table as well: it may grow.
    header.l1_size = needed.max(1);
    Ok(header)
}
