//! A directory that is treated as `/`, and that nothing inside it can lead out of.
//!
//! Links are followed as in a chroot: an absolute one starts at the root, and `..` at the root
//! stays there. The kernel does that (`openat2(2)`, `RESOLVE_IN_ROOT`, Linux 5.6), so there is no
//! moment between looking and opening in which a guest could cheat. What removes or replaces
//! never follows the last link of a path.

mod metadata;
mod read;
mod remove;
mod search;
#[cfg(test)]
mod tests;
mod wildcard;
mod write;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2, readlinkat};
use rustix::io::Errno;

use crate::{Error, Result};

pub use metadata::{Kind, Metadata};
pub use search::Entry;
pub(crate) use wildcard::matches_path;

/// As the kernel: `path_resolution(7)`.
const MAX_LINKS: usize = 40;

/// How often a lookup is repeated that a rename somewhere in the tree disturbed.
const RETRIES: usize = 16;

/// A guest's root directory, open. All paths start there, with or without a leading slash.
#[derive(Debug)]
pub struct Root {
    directory: OwnedFd,
}

/// A name in an open directory: where something is, or could be.
struct Place {
    parent: OwnedFd,
    name: OsString,
}

impl Root {
    /// Opens a directory of the host as a guest's root.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there or not a directory.
    pub fn open(directory: impl AsRef<Path>) -> Result<Root> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        let opened = rustix::fs::open(directory.as_ref(), flags, Mode::empty())
            .map_err(Error::io("opening the root", &directory))?;
        Ok(Root { directory: opened })
    }

    /// Opens what a path leads to, following links inside the root.
    fn open_inside(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() { Path::new("/") } else { path };
        let mut result = Err(Errno::AGAIN);
        for _ in 0..RETRIES {
            result =
                openat2(&self.directory, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
            if !matches!(result, Err(Errno::AGAIN)) {
                break;
            }
        }
        result
    }

    /// The place that a path names; a link there is not followed.
    fn place(&self, path: &Path) -> rustix::io::Result<Place> {
        let name = path.file_name().ok_or(Errno::INVAL)?.to_owned();
        let parent = path.parent().unwrap_or(Path::new("/"));
        let parent = self.open_inside(parent, OFlags::DIRECTORY | OFlags::RDONLY)?;
        Ok(Place { parent, name })
    }

    /// The place that a path leads to when the link there, if there is one, is followed. Nothing
    /// need be there.
    fn followed(&self, path: &Path) -> rustix::io::Result<(PathBuf, Place)> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let place = self.place(&path)?;
            match readlinkat(&place.parent, &place.name, Vec::new()) {
                Ok(link) => {
                    let link = PathBuf::from(OsString::from_vec(link.into_bytes()));
                    path = path.parent().unwrap_or(Path::new("/")).join(link);
                }
                Err(Errno::INVAL | Errno::NOENT) => return Ok((path, place)),
                Err(why) => return Err(why),
            }
        }
        Err(Errno::LOOP)
    }
}

/// Whether an error says that nothing is there: no such name, a file where a directory should be,
/// links that lead in a circle.
fn is_absent(why: Errno) -> bool {
    matches!(why, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// An absent thing is `None`; any other error stays one.
fn present<T>(result: rustix::io::Result<T>) -> rustix::io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(why) if is_absent(why) => Ok(None),
        Err(why) => Err(why),
    }
}
