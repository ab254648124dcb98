//! Packages and indexes that were fetched earlier, kept for the next run of the same release.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::{Error, Result, place};

/// A release's cache, locked for one run.
pub(super) struct Cache {
    folder: PathBuf,
    _lock: File,
}

/// A folder that is read before a run, and the one that is written after it.
const FOLDERS: [(&str, &str); 2] = [("packages", "packages.new"), ("indexes", "indexes.new")];

impl Cache {
    /// Opens the cache of a release, waiting until nobody else builds with it.
    pub(super) fn open(suite: &str) -> Result<Self> {
        Self::in_folder(place::cache().join("packages").join(suite))
    }

    fn in_folder(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
        let lock = folder.join("lock");
        let lock = File::create(&lock).map_err(Error::at(&lock))?;
        lock.lock().map_err(Error::at(&folder))?;
        let cache = Cache { folder, _lock: lock };
        for (kept, fresh) in FOLDERS {
            remove(&cache.folder.join(fresh))?;
            for folder in [kept, fresh].map(|name| cache.folder.join(name)) {
                fs::create_dir_all(&folder).map_err(Error::at(&folder))?;
            }
        }
        Ok(cache)
    }

    pub(super) fn packages(&self) -> PathBuf {
        self.folder.join(FOLDERS[0].0)
    }

    pub(super) fn fresh_packages(&self) -> PathBuf {
        self.folder.join(FOLDERS[0].1)
    }

    pub(super) fn indexes(&self) -> PathBuf {
        self.folder.join(FOLDERS[1].0)
    }

    pub(super) fn fresh_indexes(&self) -> PathBuf {
        self.folder.join(FOLDERS[1].1)
    }

    /// Puts what a run has left in the place of what it found.
    pub(super) fn renew(self) -> Result<()> {
        for (kept, fresh) in FOLDERS.map(|(a, b)| (self.folder.join(a), self.folder.join(b))) {
            remove(&kept)?;
            fs::rename(&fresh, &kept).map_err(Error::at(&fresh))?;
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(Error::at(folder)(why)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ends_well_leaves_what_it_used_and_another_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::in_folder(folder.path().to_owned()).unwrap();
        let cache = open();
        fs::write(cache.fresh_packages().join("a.deb"), "a").unwrap();
        cache.renew().unwrap();
        let cache = open();
        fs::write(cache.fresh_packages().join("b.deb"), "b").unwrap();
        drop(cache);
        let cache = open();
        assert!(cache.packages().join("a.deb").exists());
        assert!(!cache.fresh_packages().join("b.deb").exists());
    }
}
