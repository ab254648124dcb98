//! A file that has no name yet, or a temporary one: what is being written until it is whole.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::Directory;
use crate::Result;

/// Temporary names start with this; Glance and other readers of the directory look for ids only.
const PREFIX: &str = ".partial-";

/// Owner writes, group reads: what `filesystem_store_file_perm` 0640 would say.
const MODE: Mode = Mode::from_raw_mode(0o640);

/// A file under construction. Dropped before [`publish`](Partial::publish), it is gone.
pub(super) struct Partial<'a> {
    directory: &'a Directory,
    file: File,
    /// The temporary name, on file systems that know no nameless files.
    name: Option<String>,
}

impl<'a> Partial<'a> {
    /// A nameless file (`O_TMPFILE`), which no crash can leave behind; where the file system has
    /// none, a locked one with a temporary name, which [`sweep`] finds.
    pub(super) fn create(directory: &'a Directory) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(&directory.fd, ".", flags | OFlags::TMPFILE, MODE) {
            Ok(fd) => Ok(Self { directory, file: fd.into(), name: None }),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                Self::create_named(directory)
            }
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn create_named(directory: &'a Directory) -> io::Result<Self> {
        let name = format!("{PREFIX}{}", uuid::Uuid::new_v4());
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::CREATE | OFlags::EXCL;
        let fd = rustix::fs::openat(&directory.fd, &name, flags, MODE)?;
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { directory, file: fd.into(), name: Some(name) })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name, durably: its bytes are synced first, the directory after. A file
    /// of that name is never replaced.
    pub(super) fn publish(mut self, name: &str) -> io::Result<()> {
        self.file.sync_all()?;
        let directory = &self.directory.fd;
        match self.name.take() {
            None => {
                let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                let flags = AtFlags::SYMLINK_FOLLOW;
                rustix::fs::linkat(rustix::fs::CWD, nameless, directory, name, flags)?;
            }
            Some(temporary) => {
                let linked =
                    rustix::fs::linkat(directory, &temporary, directory, name, AtFlags::empty());
                rustix::fs::unlinkat(directory, &temporary, AtFlags::empty())?;
                linked?;
            }
        }
        Ok(rustix::fs::fsync(directory)?)
    }
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && let Err(error) = rustix::fs::unlinkat(&self.directory.fd, name, AtFlags::empty())
        {
            tracing::warn!(%error, name, "temporary file stays until the next sweep");
        }
    }
}

/// Removes temporary files that no process holds locked; says how many.
pub(super) fn sweep(directory: &Directory) -> Result<usize> {
    let mut removed = 0;
    for name in directory.names()?.iter().filter(|name| name.starts_with(PREFIX)) {
        let file = directory.open_file(name)?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            directory.remove(name)?;
            removed += 1;
        }
    }
    Ok(removed)
}
