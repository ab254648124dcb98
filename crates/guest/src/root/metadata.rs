//! What a thing in the guest is.

use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, readlinkat, statat};
use rustix::io::Errno;

use super::{Root, present};
use crate::{Error, Result};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe, a socket.
    Other,
}

/// What is known about a file without reading it.
#[derive(Clone, Copy, Debug)]
pub struct Metadata {
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: u64,
    /// Its permission bits, such as `0o644`.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

impl Root {
    /// What a path leads to, or `None` if that is nothing.
    pub fn metadata(&self, path: impl AsRef<Path>) -> Result<Option<Metadata>> {
        let path = path.as_ref();
        present(self.open_inside(path, OFlags::PATH).and_then(fstat))
            .map(|stat| stat.map(Metadata::from))
            .map_err(Error::io("looking at", path))
    }

    /// What a path itself is: a link is not followed.
    pub fn link_metadata(&self, path: impl AsRef<Path>) -> Result<Option<Metadata>> {
        let path = path.as_ref();
        let stat = self
            .place(path)
            .and_then(|place| statat(&place.parent, &place.name, AtFlags::SYMLINK_NOFOLLOW));
        present(stat).map(|stat| stat.map(Metadata::from)).map_err(Error::io("looking at", path))
    }

    /// Whether a path leads to something.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.metadata(path)?.is_some())
    }

    /// Whether a path leads to a regular file.
    pub fn is_file(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.metadata(path)?.is_some_and(|found| found.kind == Kind::File))
    }

    /// Whether a path leads to a directory.
    pub fn is_directory(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.metadata(path)?.is_some_and(|found| found.kind == Kind::Directory))
    }

    /// What the link at a path says, or `None` if there is no link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        let path = path.as_ref();
        let link =
            self.place(path).and_then(|place| readlinkat(&place.parent, &place.name, Vec::new()));
        match link {
            Err(Errno::INVAL) => Ok(None),
            link => present(link)
                .map(|link| link.map(|link| link.to_string_lossy().into_owned().into()))
                .map_err(Error::io("reading the link", path)),
        }
    }
}

impl From<Stat> for Metadata {
    fn from(stat: Stat) -> Self {
        Metadata {
            kind: Kind::from(FileType::from_raw_mode(stat.st_mode)),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
        }
    }
}

impl From<FileType> for Kind {
    fn from(file_type: FileType) -> Self {
        match file_type {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }
    }
}
