//! The directory that holds a service's state, locked against a second service.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The file that holds the service's name.
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
    /// by it a service finds the tasks and the uploads that it left unfinished.
    pub(super) fn name(&self) -> anyhow::Result<String> {
        let path = self.path.join(NAME);
        match fs::read_to_string(&path) {
            Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't read {}", path.display()));
            }
            _ => {}
        }
        let name = uuid::Uuid::new_v4().to_string();
        fs::write(&path, &name).with_context(|| format!("can't write {}", path.display()))?;
        Ok(name)
    }
}

/// XDG Base Directory Specification: `$XDG_STATE_HOME`, else `~/.local/state`.
pub(crate) fn default_state_dir() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("tintype"))
        .context("neither XDG_STATE_HOME nor HOME is set; name a directory with --state-dir")
}
