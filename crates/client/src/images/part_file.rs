//! The unfinished file beside the one that a download is for.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// `disk.qcow2.{image id}.part`, locked. The bytes of an image never change, so that its id in the
/// name makes sure that a download goes on from bytes of the same image.
pub(super) struct PartFile {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    output: PathBuf,
    file: File,
}

impl PartFile {
    /// Opens what an earlier download left, or a new file. More bytes than `limit` are not of this
    /// image, and are dropped.
    pub(super) fn open(output: &Path, id: &str, limit: u64) -> Result<Self> {
        let path = path_beside(output, id);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(Error::file(&path, "be created"))?;
        file.try_lock().map_err(|error| busy(&path, error))?;
        let mut part = Self { length: 0, output: output.to_owned(), file, path };
        part.length = part.file.metadata().map_err(Error::file(&part.path, "be read"))?.len();
        if part.length > limit {
            part.empty()?;
        }
        Ok(part)
    }

    /// A second handle to the same file, which shares its lock.
    pub(super) fn handle(&self) -> Result<File> {
        self.file.try_clone().map_err(Error::file(&self.path, "be opened again"))
    }

    /// Starts over.
    pub(super) fn empty(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(Error::file(&self.path, "be emptied"))?;
        self.length = 0;
        Ok(())
    }

    /// Removes it; what could not be removed is replaced by the next download.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Gives the file, complete and synced, its name; durable when this returns.
    pub(super) fn finish(self) -> Result<()> {
        fs::rename(&self.path, &self.output).map_err(Error::file(&self.output, "be replaced"))?;
        let directory = match self.output.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(Error::file(directory, "be synced"))
    }
}

/// Nothing is left behind by a download that brought nothing.
impl Drop for PartFile {
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn path_beside(output: &Path, id: &str) -> PathBuf {
    let mut name = OsString::from(output);
    // An id comes from a service: it must not lead out of the directory.
    let id: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    name.push(format!(".{id}.part"));
    PathBuf::from(name)
}

fn busy(path: &Path, error: TryLockError) -> Error {
    let source = match error {
        TryLockError::WouldBlock => io::Error::other("another download is writing it"),
        TryLockError::Error(error) => error,
    };
    Error::file(path, "be locked")(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_downloads_do_not_share_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("disk.raw");
        let first = PartFile::open(&output, "a1", 10).unwrap();
        assert!(PartFile::open(&output, "a1", 10).is_err());
        drop(first);
        assert!(PartFile::open(&output, "a1", 10).is_ok());
    }

    #[test]
    fn more_bytes_than_the_image_has_are_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("disk.raw");
        fs::write(path_beside(&output, "a1"), "0123456789").unwrap();
        assert_eq!(PartFile::open(&output, "a1", 10).unwrap().length, 10);
        assert_eq!(PartFile::open(&output, "a1", 9).unwrap().length, 0);
    }

    #[test]
    fn an_id_cannot_lead_elsewhere() {
        let path = path_beside(Path::new("/tmp/x"), "../../etc/passwd");
        assert_eq!(path, Path::new("/tmp/x.______etc_passwd.part"));
    }
}
