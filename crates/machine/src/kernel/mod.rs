//! The appliance's kernel: a distribution's own, unpacked once into the user's cache.
//!
//! `tintype appliance setup` takes it from the host or from the host's package archive; nothing is
//! fetched when an image is made. What is kept is an uncompressed `vmlinux`, which starts a second
//! sooner than a `vmlinuz` under emulation, and the few modules that an appliance needs.

mod archive;
mod compression;
mod manifest;
mod modules;
mod setup;
mod source;
mod vmlinux;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{Error, Result, cache};
use manifest::Manifest;

pub use setup::{From, setup};

/// A kernel that is prepared and whole.
#[derive(Clone, Debug)]
pub struct Kernel {
    folder: PathBuf,
    manifest: Manifest,
}

impl Kernel {
    /// The kernel that setup prepared, every file compared with its manifest.
    ///
    /// # Errors
    /// [`Error::KernelNotPrepared`] before setup; [`Error::KernelDamaged`].
    pub fn prepared() -> Result<Kernel> {
        Self::in_folder(&folder())
    }

    fn in_folder(folder: &Path) -> Result<Kernel> {
        let manifest = Manifest::read(folder)?.ok_or(Error::KernelNotPrepared)?;
        manifest.verify(folder)?;
        Ok(Kernel { folder: folder.to_owned(), manifest })
    }

    /// The kernel's release, as `uname -r` says it.
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// Where it came from: a path or a package.
    pub fn origin(&self) -> &str {
        &self.manifest.origin
    }

    /// When setup prepared it.
    pub fn made(&self) -> jiff::Timestamp {
        self.manifest.made
    }

    /// The size of the kernel and its modules, in bytes.
    pub fn size(&self) -> u64 {
        self.manifest.files.values().map(|file| file.size).sum()
    }

    /// Where it is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The modules of each group, each after those it needs.
    pub fn groups(&self) -> &BTreeMap<String, Vec<String>> {
        &self.manifest.groups
    }

    pub(crate) fn vmlinux(&self) -> PathBuf {
        self.folder.join(VMLINUX)
    }

    pub(crate) fn module(&self, name: &str) -> PathBuf {
        self.folder.join(module_file(name))
    }
}

/// The name of the kernel's file in its folder.
const VMLINUX: &str = "vmlinux";

/// The name of a module's file in the kernel's folder.
fn module_file(name: &str) -> String {
    format!("modules/{name}.ko")
}

fn folder() -> PathBuf {
    cache::folder().join("appliance").join("kernel")
}
