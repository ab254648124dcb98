//! A file that appears under its name when it is whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The file while it is made, under another name in the same folder. Dropped, it is removed.
pub(crate) struct Fresh {
    path: PathBuf,
    part: NamedTempFile,
}

impl Fresh {
    /// Begins a file that is to be `path`. What is there stays until then, and has to be a file.
    pub(crate) fn beside(path: &Path) -> Result<Fresh> {
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            let what = "it is there and no ordinary file, so it cannot be replaced";
            return Err(Error::NotHandled { path: path.to_owned(), what });
        }
        let part = tempfile::Builder::new()
            .prefix(".tintype-")
            .suffix(".part")
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder(path))
            .map_err(Error::at(path))?;
        Ok(Fresh { path: path.to_owned(), part })
    }

    /// Another handle to the file.
    pub(crate) fn file(&self) -> Result<File> {
        self.part.as_file().try_clone().map_err(Error::at(&self.path))
    }

    /// Synchronizes the file, gives it its name, and synchronizes that.
    pub(crate) fn commit(self) -> Result<()> {
        let path = self.path;
        let commit = || -> io::Result<()> {
            self.part.as_file().sync_all()?;
            self.part.persist(&path)?;
            File::open(folder(&path))?.sync_all()
        };
        commit().map_err(Error::at(&path))
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
