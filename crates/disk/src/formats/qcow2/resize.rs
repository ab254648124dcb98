//! A larger disk in the same image, and what a smaller one needs as well.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::header::{Header, incompatible};
use super::refcounts::{ORDER, Refcounts};
use crate::error::{Error, Result};
use crate::file::ImageFile;

/// Makes the disk larger. The header, in one write, is the last to change but for what becomes
/// free by it.
pub(super) fn grow(file: &File, path: &Path, size: u64) -> Result<()> {
    let mut header = header(path)?;
    let size = size.next_multiple_of(512);
    let Some(needed) = header.l1_needed(size) else {
        let what = "its clusters are too small for so large a disk; convert it anew";
        return Err(Error::NotHandled { path: path.to_owned(), what });
    };
    header.size = size;
    make_room(file, &mut header, needed).map_err(Error::at(path))
}

/// The header of an image that may be changed in place.
pub(super) fn header(path: &Path) -> Result<Header> {
    let header = ImageFile::open(path, Some("qcow2"))?.read(Header::read)?;
    let unfit = [
        (header.incompatible & incompatible::CORRUPT != 0, "it is marked corrupt"),
        (
            header.incompatible & incompatible::DIRTY != 0,
            "its refcounts are behind; `qemu-img check -r all` mends them",
        ),
        (header.refcount_order != ORDER, "its refcounts are not of 16 bits; convert it anew"),
        (header.has_data_file(), "its content is in another file"),
    ];
    match unfit.into_iter().find(|(is_so, _)| *is_so) {
        Some((_, what)) => Err(Error::NotHandled { path: path.to_owned(), what }),
        None => Ok(header),
    }
}

fn make_room(file: &File, header: &mut Header, needed: u32) -> io::Result<()> {
    let cluster = header.cluster();
    let clusters = |entries: u32| (u64::from(entries) * 8).div_ceil(cluster);
    let (old, old_size) = (header.l1_table_offset, header.l1_size);
    if needed <= old_size {
        return write_header(file, header);
    }
    header.l1_size = needed;
    if clusters(needed) == clusters(old_size) {
        // There is room behind the table; nobody says that it is zeros.
        let room = vec![0; (needed - old_size) as usize * 8];
        file.write_all_at(&room, old + u64::from(old_size) * 8)?;
        return write_header(file, header);
    }
    let mut refcounts = Refcounts::open(file, header)?;
    header.l1_table_offset = refcounts.claim(clusters(needed))?;
    let mut table = vec![0; old_size as usize * 8];
    file.read_exact_at(&mut table, old)?;
    file.write_all_at(&table, header.l1_table_offset)?;
    (header.refcount_table_offset, header.refcount_table_clusters) = refcounts.table();
    write_header(file, header)?;
    refcounts.release(old, clusters(old_size))
}

/// Writes the fields of the header that have changed, with all before it safely on the disk.
pub(super) fn write_header(file: &File, header: &Header) -> io::Result<()> {
    file.sync_data()?;
    let mut fields = [0; 36];
    file.read_exact_at(&mut fields, 24)?;
    fields[..8].copy_from_slice(&header.size.to_be_bytes());
    fields[12..16].copy_from_slice(&header.l1_size.to_be_bytes());
    fields[16..24].copy_from_slice(&header.l1_table_offset.to_be_bytes());
    fields[24..32].copy_from_slice(&header.refcount_table_offset.to_be_bytes());
    fields[32..36].copy_from_slice(&header.refcount_table_clusters.to_be_bytes());
    file.write_all_at(&fields, 24)?;
    file.sync_data()
}
