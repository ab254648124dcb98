//! Removing files and trees. Links are removed, never followed.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::Errno;

use super::{Root, present};
use crate::{Error, Result};

/// Each level holds an open directory; nothing that an instance leaves is nested deeper.
const DEPTH: usize = 200;

impl Root {
    /// Removes a file, a link or a whole tree. Says whether something was there.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<bool> {
        let path = path.as_ref();
        let place = match present(self.place(path)).map_err(Error::io("removing", path))? {
            Some(place) => place,
            None => return Ok(false),
        };
        match present(remove_entry(&place.parent, &place.name, DEPTH)) {
            Ok(removed) => Ok(removed.is_some()),
            Err(Errno::NAMETOOLONG) => Err(Error::TooDeep { path: path.to_owned(), limit: DEPTH }),
            Err(why) => Err(Error::io("removing", path)(why)),
        }
    }

    /// Removes a directory that is empty. Says whether it was.
    pub fn remove_if_empty(&self, path: impl AsRef<Path>) -> Result<bool> {
        let path = path.as_ref();
        let removed = self
            .place(path)
            .and_then(|place| unlinkat(place.parent, place.name, AtFlags::REMOVEDIR));
        match removed {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(why) => Err(Error::io("removing", path)(why)),
        }
    }
}

fn remove_entry(parent: impl AsFd, name: &OsStr, depth: usize) -> rustix::io::Result<()> {
    let found = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
        return unlinkat(parent, name, AtFlags::empty());
    }
    // Reported as `Error::TooDeep`: the kernel has no better word for it.
    let depth = depth.checked_sub(1).ok_or(Errno::NAMETOOLONG)?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat(&parent, name, flags, Mode::empty())?;
    remove_below(&directory, depth)?;
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}

fn remove_below(directory: &OwnedFd, depth: usize) -> rustix::io::Result<()> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            remove_entry(directory, OsStr::from_bytes(name), depth)?;
        }
    }
    Ok(())
}
