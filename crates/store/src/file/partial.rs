//! A file that has no name yet, or a temporary one: what is being written until it is whole.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::Directory;
use crate::{Error, Result};

/// Temporary names start with this; Glance and other readers of the directory look for ids only.
const PREFIX: &str = ".partial-";

/// The size of blocks that may become holes, in bytes: glance_store's chunks.
const BLOCK: usize = 64 * 1024;

/// Less the umask, as of any new file, and as Glance has it without `filesystem_store_file_perm`:
/// others may be meant to read the directory, such as a Nova that mounts it.
const MODE: Mode = Mode::from_raw_mode(0o666);

/// A file under construction. Dropped before it was published and kept, it is gone.
pub(super) struct Partial {
    directory: Arc<Directory>,
    /// Where it is to get its name: the directory as it was when it was begun.
    at: Arc<OwnedFd>,
    file: File,
    /// The temporary name, on file systems that know no nameless files.
    name: Option<String>,
}

impl Partial {
    /// A nameless file (`O_TMPFILE`), which no crash can leave behind; where the file system has
    /// none, a locked one with a temporary name, which [`sweep`] finds.
    pub(super) fn create(directory: &Arc<Directory>) -> Result<Self> {
        let at = directory.fd()?;
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let created = match rustix::fs::openat(&*at, ".", flags | OFlags::TMPFILE, MODE) {
            Ok(fd) => Self::begin(directory, at, fd.into(), None),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                Self::named(directory, at)
            }
            Err(errno) => Err(errno),
        };
        created.map_err(|errno| directory.failed("", errno.into()))
    }

    /// As where the file system has no nameless files.
    #[cfg(test)]
    pub(super) fn create_named(directory: &Arc<Directory>) -> Result<Self> {
        Self::named(directory, directory.fd()?).map_err(|errno| directory.failed("", errno.into()))
    }

    fn named(directory: &Arc<Directory>, at: Arc<OwnedFd>) -> Result<Self, Errno> {
        let name = format!("{PREFIX}{}", uuid::Uuid::new_v4());
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::CREATE | OFlags::EXCL;
        let fd = rustix::fs::openat(&*at, &name, flags, MODE)?;
        let partial = Self::begin(directory, at, fd.into(), Some(name))?;
        rustix::fs::flock(&partial.file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(partial)
    }

    fn begin(
        directory: &Arc<Directory>,
        at: Arc<OwnedFd>,
        file: File,
        name: Option<String>,
    ) -> Result<Self, Errno> {
        let mode = directory.writing.mode;
        let partial = Self { directory: directory.clone(), at, file, name };
        if let Some(mode) = mode {
            rustix::fs::fchmod(&partial.file, mode)?;
        }
        Ok(partial)
    }

    /// Adds bytes at the end. Where the directory is thin, blocks of zeros become holes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.directory.writing.thin {
            return self.file.write_all(bytes);
        }
        for block in bytes.chunks(BLOCK) {
            match block.iter().all(|byte| *byte == 0) {
                // A block is far shorter than offsets can say.
                true => self.file.seek_relative(block.len() as i64)?,
                false => self.file.write_all(block)?,
            }
        }
        Ok(())
    }

    /// Gives the file its length, where not all of it came by [`write`](Self::write).
    pub(super) fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Gives the file its name, durably: its bytes are synced first, the directory after. A file
    /// of that name is never replaced. On an error there is none of that name that was not there
    /// before.
    pub(super) fn publish(self, name: &str) -> Result<Published> {
        let directory = self.directory.clone();
        let published = self.link_durably(name).map_err(|cause| directory.failed(name, cause))?;
        // One that was mounted over it meanwhile would hide it.
        directory.expect(&published.partial.at)?;
        Ok(published)
    }

    fn link_durably(mut self, name: &str) -> io::Result<Published> {
        if self.directory.writing.thin {
            // Zeros at the end are there only once the file is as long as they say.
            let length = self.file.stream_position()?;
            self.file.set_len(length)?;
        }
        self.file.sync_all()?;
        self.link(name)?;
        let published = Published { partial: self, name: name.to_owned(), is_kept: false };
        rustix::fs::fsync(&*published.partial.at)?;
        Ok(published)
    }

    fn link(&self, name: &str) -> io::Result<()> {
        let directory = &*self.at;
        match &self.name {
            None => {
                let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                let flags = AtFlags::SYMLINK_FOLLOW;
                Ok(rustix::fs::linkat(rustix::fs::CWD, nameless, directory, name, flags)?)
            }
            // The temporary name goes when this is dropped.
            Some(known) => {
                Ok(rustix::fs::linkat(directory, known, directory, name, AtFlags::empty())?)
            }
        }
    }
}

/// A file that has its name. Dropped before it was [kept](Self::keep), it loses it again: a thread goes
/// on publishing when whoever asked for it has gone.
pub(super) struct Published {
    partial: Partial,
    name: String,
    is_kept: bool,
}

impl Published {
    /// Lets it have its name.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }

    /// Whether the name is this file's still.
    fn is_there(&self) -> rustix::io::Result<bool> {
        let own = rustix::fs::fstat(&self.partial.file)?;
        let directory = &*self.partial.at;
        let there = rustix::fs::statat(directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((own.st_dev, own.st_ino) == (there.st_dev, there.st_ino))
    }

    fn take_back(&self) -> rustix::io::Result<()> {
        match self.is_there() {
            Ok(true) => {
                let directory = &*self.partial.at;
                rustix::fs::unlinkat(directory, &self.name, AtFlags::empty())
            }
            // Somebody else has removed it.
            Ok(false) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = self.take_back()
        {
            let name = &self.name;
            tracing::error!(%error, name, "image data stays until the next start's sweep");
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && let Err(error) = rustix::fs::unlinkat(&*self.at, name, AtFlags::empty())
        {
            tracing::warn!(%error, name, "temporary file stays until the next sweep");
        }
    }
}

/// Removes temporary files that no process holds locked; says how many.
pub(super) fn sweep(directory: &Directory) -> Result<usize> {
    let mut removed = 0;
    for name in directory.names()?.iter().filter(|name| name.starts_with(PREFIX)) {
        // To lock a file in NFS, it has to be open for writing.
        let opened = match directory.open_for(OFlags::RDWR, name) {
            Err(Error::Denied { .. }) => directory.open_file(name),
            opened => opened,
        };
        let file = match opened {
            // Its owner was quicker.
            Err(Error::NotFound(_)) => continue,
            opened => opened?,
        };
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            directory.remove(name)?;
            removed += 1;
        }
    }
    Ok(removed)
}
