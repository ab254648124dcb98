//! The directory store: each image a file of its own, `file:///<datadir>/<image id>`, as the
//! `filesystem` driver of glance_store lays it out.

mod options;
mod partial;
mod read;
mod write;
mod writeback;

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use async_trait::async_trait;
use image::ImageId;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use serde_json::{Map, Value};

use crate::{Data, Error, Result, Source, Store, Written};

pub(crate) use options::KIND;

/// The spellings of this store's URIs; the first one is written.
const SCHEMES: &[&str] = &["file", "filesystem"];

/// A directory that holds image data.
#[derive(Clone)]
pub struct FileStore {
    inner: Arc<Directory>,
    properties: Map<String, Value>,
}

/// The directory, held open: a rename of it or of its parents can't lead elsewhere.
struct Directory {
    /// As it was named: what locations say.
    path: PathBuf,
    /// Without symlinks. Locations may say this too.
    real: PathBuf,
    fd: OwnedFd,
}

impl FileStore {
    /// Opens the directory, and makes it, durably, when it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |cause| Error::Io { store: path.display().to_string(), cause };
        make(path).map_err(failed)?;
        let real = fs::canonicalize(path).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&real, flags, Mode::empty()).map_err(|e| failed(e.into()))?;
        Ok(Self { inner: Arc::new(Directory { path, real, fd }), properties: Map::new() })
    }

    /// The directory, as it was named.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn described(self, properties: Map<String, Value>) -> Self {
        Self { properties, ..self }
    }
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

impl Directory {
    /// The location URI of a file in this directory.
    fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.path.display())
    }

    /// The file name that a location of this store ends in. Only files directly in the directory
    /// are locations: a record in the database can't lead to another file of the host.
    fn name<'a>(&self, uri: &'a str) -> Result<&'a str> {
        let path = SCHEMES.iter().find_map(|scheme| uri.strip_prefix(scheme)?.strip_prefix("://"));
        path.map(Path::new)
            .filter(|path| [Some(&*self.path), Some(&*self.real)].contains(&path.parent()))
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .ok_or_else(|| Error::BadLocation(uri.to_owned()))
    }

    fn open_file(&self, name: &str) -> Result<fs::File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&self.fd, name, flags, Mode::empty(), resolve)
            .map(fs::File::from)
            .map_err(|errno| self.failed(name, errno.into()))
    }

    fn remove(&self, name: &str) -> Result<()> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .and_then(|()| rustix::fs::fsync(&self.fd))
            .map_err(|errno| self.failed(name, errno.into()))
    }

    /// What an error of the system means for the file `name`.
    fn failed(&self, name: &str, cause: io::Error) -> Error {
        let store = || self.path.display().to_string();
        match cause.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Error::NotFound(self.uri(name)),
            Some(Errno::EXIST) => Error::Exists(self.uri(name)),
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Error::Full(store()),
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
                Error::Denied { store: store(), cause }
            }
            _ => Error::Io { store: store(), cause },
        }
    }
}

#[async_trait]
impl Store for FileStore {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        self.inner.name(uri).is_ok()
    }

    fn properties(&self) -> Map<String, Value> {
        self.properties.clone()
    }

    async fn put(&self, id: ImageId, _hint: Option<u64>, source: Source) -> Result<Written> {
        write::put(self.inner.clone(), id.to_string(), source).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let name = self.inner.name(uri)?.to_owned();
        read::open(self.inner.clone(), name, range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        let name = self.inner.name(uri)?.to_owned();
        let directory = self.inner.clone();
        blocking(move || {
            let file = directory.open_file(&name)?;
            file.metadata().map(|m| m.len()).map_err(|e| directory.failed(&name, e))
        })
        .await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        let name = self.inner.name(uri)?.to_owned();
        let directory = self.inner.clone();
        blocking(move || directory.remove(&name)).await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let directory = self.inner.clone();
        blocking(move || match directory.remove(&id.to_string()) {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    async fn stored(&self) -> Result<Vec<ImageId>> {
        let directory = self.inner.clone();
        blocking(move || {
            Ok(directory.names()?.iter().filter_map(|name| name.parse().ok()).collect())
        })
        .await
    }

    async fn sweep(&self) -> Result<usize> {
        let directory = self.inner.clone();
        blocking(move || partial::sweep(&directory)).await
    }
}

impl Directory {
    /// The names of the files in the directory that are text.
    fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.path).map_err(|e| self.failed("", e))?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }
}

/// Runs what would block on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

#[cfg(test)]
mod tests;
