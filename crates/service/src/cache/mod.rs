//! The image cache: files on this node, so that a store far away is asked once.
//!
//! A download of an image that is not cached starts a fill, and follows it; so does everybody
//! who asks for the same image meanwhile, and the queue of images to be fetched ahead. A
//! file becomes valid by a rename, once its size and digest are those of the record and its bytes
//! are durable. Hits are read as the directory store reads.
//!
//! What is cached is known in memory (`index`); records in the database are written behind it, and
//! where they and the files differ at a start, the files are right.
//!
//! Reference: the image cache of Glance 33; its directory and tables are the same.

mod attributes;
mod fill;
mod filling;
mod folder;
mod follow;
mod index;
mod reconcile;
mod serving;
mod settings;
mod upkeep;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::{CachedImages, Catalog};
use image::ImageId;
use store::FileStore;
use thiserror::Error;
use tokio::sync::Notify;

pub use attributes::Attributes;
pub use settings::{Driver, Settings};
pub use worker::work;

use fill::Fill;
use folder::Folder;
use index::Index;

/// Why there is no cache.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory can't be used.
    #[error("can't use the image cache directory {directory}: {cause}")]
    Directory {
        /// `image_cache_dir`.
        directory: std::path::PathBuf,
        /// The system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// Its files can't be read.
    #[error(transparent)]
    Files(#[from] store::Error),
    /// Its records can't be read.
    #[error("can't read the records of the image cache: {0}")]
    Records(#[from] catalog::Error),
}

/// The image cache of this node.
pub struct Cache {
    folder: Arc<Folder>,
    files: FileStore,
    records: Arc<dyn CachedImages>,
    state: Mutex<State>,
    /// Something was queued.
    queued: Notify,
    /// A fill has ended.
    grown: Notify,
    max_size: u64,
    stall_time: Duration,
    prefetch_interval: Duration,
    downloads: bool,
}

#[derive(Default)]
struct State {
    index: Index,
    fills: HashMap<ImageId, Arc<Fill>>,
}

impl Cache {
    /// Opens the cache, removes what a run before this one left half-done in it, and what belongs
    /// to images that are gone.
    pub async fn open(
        settings: &Settings,
        records: Arc<dyn CachedImages>,
        catalog: &dyn Catalog,
    ) -> Result<Self, OpenError> {
        let path = settings.directory.clone();
        let failed = |cause| OpenError::Directory { directory: settings.directory.clone(), cause };
        let folder = Arc::new(blocking(move || Folder::open(&path)).await.map_err(failed)?);
        let swept = folder.clone();
        let removed = blocking(move || swept.sweep()).await.map_err(failed)?;
        if removed > 0 {
            tracing::warn!(removed, "removed incomplete files from the image cache");
        }
        let index = reconcile::reconcile(&folder, records.as_ref(), catalog).await?;
        Ok(Self {
            files: FileStore::open(folder.path())?,
            folder,
            records,
            state: Mutex::new(State { index, fills: HashMap::new() }),
            queued: Notify::new(),
            grown: Notify::new(),
            max_size: settings.max_size,
            stall_time: settings.stall_time,
            prefetch_interval: settings.prefetch_interval,
            downloads: settings.downloads,
        })
    }

    /// What holds it never waits, and leaves the state whole when it panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what would block on a thread that may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

#[cfg(test)]
mod tests;
