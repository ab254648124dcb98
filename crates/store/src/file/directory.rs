//! A directory that holds image data, and the files in it.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::blocking::Threads;
use crate::{Error, Result};

/// The spellings of this store's URIs; the first one is written.
pub(super) const SCHEMES: &[&str] = &["file", "filesystem"];

/// How files are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writing {
    /// Their permissions, where the operator says (`filesystem_store_file_perm`).
    pub(super) mode: Option<Mode>,
    /// Whether zeros take no room (`filesystem_thin_provisioning`).
    pub(super) thin: bool,
}

/// The directory that a path names.
pub(super) struct Directory {
    /// As it was named: what locations say.
    pub(super) path: PathBuf,
    /// Without symlinks. Locations may say this too.
    pub(super) real: PathBuf,
    /// The directory as it was last, held open.
    opened: Mutex<Arc<OwnedFd>>,
    pub(super) priority: i64,
    pub(super) writing: Writing,
    /// Those that may wait for it.
    pub(super) threads: Threads,
}

impl Directory {
    /// Opens the directory, and makes it, durably, when it is not there.
    pub(super) fn open(path: &Path, priority: i64, writing: Writing) -> Result<Self> {
        let failed = |cause| Error::Io { store: path.display().to_string(), cause };
        make(path).map_err(failed)?;
        let real = fs::canonicalize(path).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let opened = Mutex::new(open(&real).map_err(|errno| failed(errno.into()))?);
        let threads = Threads::of(&path.display().to_string());
        Ok(Self { path, real, opened, priority, writing, threads })
    }

    /// The directory, held open. What the path names may have changed: a file system that was
    /// mounted there since, or anew, is the one that is meant. Errors: `Unavailable` where the path
    /// names none now, which says nothing of the files.
    pub(super) fn fd(&self) -> Result<Arc<OwnedFd>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match self.is_still(&opened) {
            Ok(true) => {}
            Ok(false) => {
                *opened = open(&self.path).map_err(|errno| self.away(errno))?;
                tracing::warn!(path = %self.path.display(), "another directory has this name now");
            }
            Err(errno) => return Err(self.away(errno)),
        }
        Ok(opened.clone())
    }

    /// Whether the path names this directory. One that has gone stale (NFS) is another one.
    fn is_still(&self, opened: &OwnedFd) -> Result<bool, Errno> {
        let named = rustix::fs::stat(&self.path)?;
        let own = rustix::fs::fstat(opened);
        Ok(own.is_ok_and(|own| (own.st_dev, own.st_ino) == (named.st_dev, named.st_ino)))
    }

    fn away(&self, errno: Errno) -> Error {
        let why = format!("the directory can't be opened: {}", io::Error::from(errno));
        Error::Unavailable { store: self.path.display().to_string(), why }
    }

    /// Fails where the path names another directory than the one that is open here.
    pub(super) fn expect(&self, opened: &Arc<OwnedFd>) -> Result<()> {
        match Arc::ptr_eq(&self.fd()?, opened) {
            true => Ok(()),
            false => Err(Error::Unavailable {
                store: self.path.display().to_string(),
                why: "another directory was mounted there meanwhile".to_owned(),
            }),
        }
    }

    /// The location URI of a file in this directory.
    pub(super) fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.path.display())
    }

    /// The file name that a location in this directory ends in. Only files directly in the
    /// directory are locations: a record in the database can't lead to another file of the host.
    pub(super) fn name<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let path = SCHEMES.iter().find_map(|scheme| uri.strip_prefix(scheme)?.strip_prefix("://"));
        path.map(Path::new)
            .filter(|path| [Some(&*self.path), Some(&*self.real)].contains(&path.parent()))
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
    }

    /// The names of the files in the directory that are text.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.path).map_err(|e| self.failed("", e))?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// Bytes that are free for whom the service runs as.
    pub(super) fn free(&self) -> Result<u64> {
        let room = rustix::fs::fstatvfs(&*self.fd()?).map_err(|e| self.failed("", e.into()))?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    pub(super) fn open_file(&self, name: &str) -> Result<fs::File> {
        self.open_for(OFlags::RDONLY, name)
    }

    pub(super) fn open_for(&self, access: OFlags, name: &str) -> Result<fs::File> {
        let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&*self.fd()?, name, flags, Mode::empty(), resolve)
            .map(fs::File::from)
            .map_err(|errno| self.failed(name, errno.into()))
    }

    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let fd = self.fd()?;
        rustix::fs::unlinkat(&*fd, name, AtFlags::empty())
            .and_then(|()| rustix::fs::fsync(&*fd))
            .map_err(|errno| self.failed(name, errno.into()))
    }

    /// What an error of the system means for the file `name`.
    pub(super) fn failed(&self, name: &str, cause: io::Error) -> Error {
        let store = || self.path.display().to_string();
        match cause.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Error::NotFound(self.uri(name)),
            Some(Errno::EXIST) => Error::Exists(self.uri(name)),
            Some(Errno::LOOP) => Error::Unavailable { store: store(), why: symlink(name) },
            _ => Error::of_medium(store(), cause),
        }
    }
}

fn open(path: &Path) -> Result<Arc<OwnedFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map(Arc::new)
}

/// Whoever may write into the directory could have the service read any file of the host.
fn symlink(name: &str) -> String {
    format!(
        "{name} is a symbolic link, and none is followed; move the file here, or have its own \
         directory among filesystem_store_datadirs"
    )
}

/// Makes a directory and those above it. Each is synced into the one that holds it: bytes that are
/// synced into a directory are lost with it.
fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Err(error), make)?;
            fs::create_dir(path)?;
        }
        made => made?,
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
