//! What may be done to bytes between their source and the stores, one file each. To add one: a file
//! with a type that implements [`Plugin`], and a line in [`PLUGINS`].

mod conversion;
mod decompression;
mod zip;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use disk::PartitionTables;
use image::{ContainerFormat, DiskFormat};
use thiserror::Error;

/// Every plugin, by Glance's names.
pub(super) const PLUGINS: &[&dyn Plugin] =
    &[&NoOp, &InjectMetadata, &decompression::Decompression, &conversion::Conversion];

/// A file that is to become an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Staged {
    pub(super) path: PathBuf,
    pub(super) disk: DiskFormat,
    pub(super) container: ContainerFormat,
}

/// What plugins are told.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Bytes of what a plugin writes, at most.
    pub(super) size: u64,
    /// `[image_conversion] output_format`.
    pub(super) format: DiskFormat,
    /// Which partition tables disks may have.
    pub(super) tables: PartitionTables,
    /// `[image_format] vmdk_allowed_types`.
    pub(super) vmdk_types: Arc<[String]>,
    /// Whether nobody waits for the work any more.
    pub(super) stop: Stop,
}

/// Says to a thread that nobody waits for its work any more.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says so when what this returns is dropped.
    pub(super) fn when_dropped(&self) -> Stopping {
        Stopping(self.clone())
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// See [`Stop::when_dropped`].
pub(super) struct Stopping(Stop);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Why a plugin can't do its work.
#[derive(Debug, Error)]
pub(super) enum PluginError {
    #[error("{0}")]
    Refused(String),
    #[error("what comes out is larger than the {0} bytes that are allowed")]
    TooLarge(u64),
    #[error("nobody waits for it any more")]
    Stopped,
    #[error(transparent)]
    Disk(#[from] disk::Error),
    #[error("the staging area failed: {0}")]
    Io(#[from] std::io::Error),
}

/// A step between the source and the stores.
pub(super) trait Plugin: Debug + Sync {
    /// Glance's name for it.
    fn name(&self) -> &'static str;

    /// Whether it needs the bytes in a file. Without such plugins they go to the stores directly.
    fn needs_file(&self) -> bool {
        false
    }

    /// Does its work, which blocks; what it writes lies beside the file that it reads, which it
    /// never changes: the work may be done again from its start.
    fn change(&self, staged: Staged, _bounds: &Bounds) -> Result<Staged, PluginError> {
        Ok(staged)
    }
}

/// Whether a plugin is among these.
pub(super) fn is_enabled(plugins: &[&'static dyn Plugin], name: &str) -> bool {
    plugins.iter().any(|plugin| plugin.name() == name)
}

/// The name of a file beside another: `<path>.<ending>`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Does nothing, in any order.
#[derive(Debug)]
struct NoOp;

impl Plugin for NoOp {
    fn name(&self) -> &'static str {
        "no_op"
    }
}

/// Concerns the record alone: see `inject`.
#[derive(Debug)]
struct InjectMetadata;

impl Plugin for InjectMetadata {
    fn name(&self) -> &'static str {
        "inject_image_metadata"
    }
}
