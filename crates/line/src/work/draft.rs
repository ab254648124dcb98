//! A step's output while it is being made.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Output;
use crate::{Error, Result};

/// What a draft's name starts with; no output's does.
pub(super) const PREFIX: &str = ".draft-";

/// A folder that goes away unless it is [committed](Draft::commit).
#[derive(Debug)]
pub(crate) struct Draft {
    folder: TempDir,
    place: PathBuf,
}

impl Draft {
    pub(super) fn new(root: &Path, place: PathBuf) -> Result<Self> {
        Ok(Draft { folder: private(root)?, place })
    }

    /// Where the step writes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes it the output: synchronized to the disk, then put into its place in one move.
    pub(crate) fn commit(self, output: &Output) -> Result<()> {
        output.write(self.folder())?;
        synchronize(self.folder()).map_err(Error::at(self.folder()))?;
        let root = self.place.parent().unwrap_or(Path::new("/"));
        if self.place.exists() {
            // Moved aside first: an output that is removed half way must not look whole.
            let old = private(root)?;
            fs::rename(&self.place, old.path().join("old")).map_err(Error::at(&self.place))?;
        }
        fs::rename(self.folder(), &self.place).map_err(Error::at(&self.place))?;
        // It is gone from where it was.
        let _ = self.folder.keep();
        File::open(root).and_then(|root| root.sync_all()).map_err(Error::at(root))
    }
}

/// Nobody else's: an image may hold secrets, and a file in a draft may be open to all.
fn private(root: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(root)
        .map_err(Error::at(root))
}

fn synchronize(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            File::open(path)?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
