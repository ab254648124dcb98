//! The directory that holds a service's state, locked against a second service.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};

/// The file that holds the service's name, and below it which file that is: a copy is another one.
const NAME: &str = "worker";

/// A state directory that belongs to this process until it ends.
pub(super) struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Opens and locks the directory; makes it, readable by its owner alone, when it isn't there.
    pub(super) fn open(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let path = path.map_or_else(default_state_dir, Ok)?;
        let make = || DirBuilder::new().recursive(true).mode(0o700).create(&path);
        make().with_context(|| format!("can't make the state directory {}", path.display()))?;
        let path = fs::canonicalize(&path)?;
        let lock = File::create(path.join("lock"))
            .with_context(|| format!("can't write in the state directory {}", path.display()))?;
        if lock.try_lock().is_err() {
            bail!(
                "another service works with the state directory {}; choose another with --state-dir",
                path.display()
            );
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What this service is called among those on the same catalog. The same from start to start:
    /// by it a service finds the tasks and the uploads that it left unfinished. No other has it, also
    /// where the directory was copied from another service's.
    pub(super) fn name(&self) -> anyhow::Result<String> {
        let path = self.path.join(NAME);
        self.kept_name(&path).with_context(|| format!("can't read or write {}", path.display()))
    }

    fn kept_name(&self, path: &Path) -> io::Result<String> {
        let kept = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            kept => kept?,
        };
        let mut lines = kept.lines().map(str::trim);
        let name = lines.next().filter(|name| !name.is_empty());
        let file = lines.next();
        drop(File::options().create(true).append(true).open(path)?);
        let this = this_file(path)?;
        let name = match (name, file) {
            (Some(name), Some(file)) if file == this => return Ok(name.to_owned()),
            (Some(_), Some(_)) => {
                tracing::warn!(
                    "the state directory {} was copied from another service's; this one takes a \
                     name of its own",
                    self.path.display()
                );
                None
            }
            (name, _) => name,
        };
        let name = name.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
        fs::write(path, format!("{name}\n{this}\n"))?;
        Ok(name)
    }
}

/// What tells a file from its copies, on this machine and on others: where it is, and since when.
fn this_file(path: &Path) -> io::Result<String> {
    let found = fs::metadata(path)?;
    let born = found.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let born = born.unwrap_or_default().as_nanos();
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    Ok(format!("{host} {} {} {born}", machine.trim(), found.ino()))
}

/// XDG Base Directory Specification: `$XDG_STATE_HOME`, else `~/.local/state`.
pub(crate) fn default_state_dir() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("tintype"))
        .context("neither XDG_STATE_HOME nor HOME is set; name a directory with --state-dir")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in(folder: &Path) -> String {
        StateDir::open(Some(folder.to_owned())).unwrap().name().unwrap()
    }

    #[test]
    fn a_name_stays_and_is_not_taken_along_by_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other, moved] = ["one", "other", "moved"].map(|name| dir.path().join(name));
        let name = name_in(&one);
        assert_eq!(name_in(&one), name);
        fs::create_dir(&other).unwrap();
        fs::copy(one.join(NAME), other.join(NAME)).unwrap();
        let second = name_in(&other);
        assert_ne!(second, name);
        assert_eq!(name_in(&other), second);
        fs::rename(&one, &moved).unwrap();
        assert_eq!(name_in(&moved), name);
    }

    #[test]
    fn a_name_without_its_file_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "a name").unwrap();
        assert_eq!(name_in(dir.path()), "a name");
        assert_eq!(name_in(dir.path()), "a name");
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join(NAME), copy.path().join(NAME)).unwrap();
        assert_ne!(name_in(copy.path()), "a name");
    }
}
