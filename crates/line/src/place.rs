//! Where files live.

use std::env;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use disk::ByteSize;

use crate::{Error, Result};

/// What can be made again: `$XDG_CACHE_HOME/tintype`, or `~/.cache/tintype` (XDG Base Directory
/// Specification 0.8, which has a relative path ignored). Without a home it is a folder of the
/// system's temporary directory.
pub fn cache() -> PathBuf {
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("tintype")
}

/// Where steps keep what they made unless told otherwise.
pub fn work_dir() -> PathBuf {
    cache().join("line")
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Whether two folders are on one file system, and what fills one leaves less for the other.
pub(crate) fn share_room(one: &Path, other: &Path) -> Result<bool> {
    let device = |folder: &Path| {
        let existing = existing(folder);
        existing.metadata().map(|metadata| metadata.dev()).map_err(Error::at(existing))
    };
    Ok(device(one)? == device(other)?)
}

/// What somebody may still write in `folder`, or in the nearest folder above it that exists.
pub(crate) fn free(folder: &Path) -> Result<ByteSize> {
    machine::disk_space::available(existing(folder)).map(ByteSize::new).map_err(Error::from)
}

fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"))
}
