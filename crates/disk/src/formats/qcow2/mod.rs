//! qcow2, QEMU's copy-on-write format (QEMU, docs/interop/qcow2.rst), versions 2 and 3.

mod cluster;
mod compression;
mod header;
mod l2_tables;
mod read;
mod refcounts;
mod resize;
mod shrink;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Format, Looked};
use crate::convert::Writer;
use crate::create::Options;
use crate::disk::Disk;
use crate::error::Result;
use crate::facts::{Detail, Facts, Reference, ReferenceKind};
use crate::file::ImageFile;
use crate::size::ByteSize;
use crate::view::View;
use header::{Header, LAZY_REFCOUNTS, MAGIC, incompatible};

pub(crate) use compression::deflate;

/// `qcow2`.
#[derive(Debug)]
pub(crate) struct Qcow2;

impl Format for Qcow2 {
    fn name(&self) -> &'static str {
        "qcow2"
    }

    /// Version 1 as well, which is another format that nobody makes any more.
    fn recognize(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn inspect(&self, view: &View) -> Looked {
        let header = Header::read(view)?;
        Ok(Facts {
            virtual_size: Some(header.size),
            cluster_size: Some(header.cluster()),
            references: references(&header),
            details: details(&header),
        })
    }

    fn open(&self, image: ImageFile, depth: usize) -> Result<Box<dyn Disk>> {
        Ok(Box::new(read::Reader::open(image, depth)?))
    }

    fn write(
        &self,
        file: File,
        path: &Path,
        size: ByteSize,
        options: &Options,
    ) -> Result<Box<dyn Writer>> {
        Ok(Box::new(write::Image::begin(file, path, size, options)?))
    }

    fn grow(&self, file: &File, path: &Path, size: ByteSize) -> Result<()> {
        resize::grow(file, path, size.bytes())
    }

    fn shrink(&self, file: &File, path: &Path, size: ByteSize) -> Result<()> {
        shrink::shrink(file, path, size.bytes())
    }
}

/// The file that an image names: relative to the image's own folder.
pub(crate) fn resolve(image: &Path, name: &Path) -> PathBuf {
    image.parent().unwrap_or(Path::new("")).join(name)
}

fn references(header: &Header) -> Vec<Reference> {
    let backing = header.backing_file.as_ref().map(|name| Reference {
        format: header.backing_format.clone(),
        ..Reference::new(ReferenceKind::BackingFile, name)
    });
    let data = header.has_data_file().then(|| {
        Reference::new(ReferenceKind::DataFile, header.data_file.as_deref().unwrap_or_default())
    });
    // What no reader of ours follows comes first.
    data.into_iter().chain(backing).collect()
}

fn details(header: &Header) -> Vec<(&'static str, Detail)> {
    let incompatible = |bit| Detail::Flag(header.incompatible & bit != 0);
    let compat = if header.version == 2 { "0.10" } else { "1.1" };
    let compression = if header.compression_type == 0 { "zlib" } else { "zstd" };
    let mut details = vec![
        ("compat", Detail::Text(compat.into())),
        ("compression-type", Detail::Text(compression.into())),
        ("lazy-refcounts", Detail::Flag(header.compatible & LAZY_REFCOUNTS != 0)),
        ("refcount-bits", Detail::Number(1 << header.refcount_order)),
        ("corrupt", incompatible(incompatible::CORRUPT)),
        ("dirty", incompatible(incompatible::DIRTY)),
        ("extended-l2", incompatible(incompatible::EXTENDED_L2)),
    ];
    if header.snapshots > 0 {
        details.push(("snapshots", Detail::Number(header.snapshots.into())));
    }
    if header.crypt_method > 0 {
        let method = if header.crypt_method == 1 { "aes" } else { "luks" };
        details.push(("encrypted", Detail::Text(method.into())));
    }
    details
}
