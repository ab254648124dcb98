//! What operators and the worker do to the cache: look, queue, remove, prune, clean.

use std::io;

use catalog::CachedImage;
use image::ImageId;

use super::{Cache, blocking};

/// What pruning removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

impl Cache {
    /// The images in the cache, by id.
    pub(crate) fn cached(&self) -> Vec<CachedImage> {
        self.state().index.all()
    }

    /// The images that wait to be fetched, first come first.
    pub(crate) async fn queued(&self) -> io::Result<Vec<ImageId>> {
        let folder = self.folder.clone();
        blocking(move || folder.queued()).await
    }

    /// Queues an image, unless it is in the cache or on its way into it.
    pub(crate) async fn queue(&self, id: ImageId) -> io::Result<()> {
        let known = {
            let state = self.state();
            state.index.contains(id) || state.fills.contains_key(&id)
        };
        if known {
            return Ok(());
        }
        let folder = self.folder.clone();
        blocking(move || folder.enqueue(id)).await?;
        self.queued.notify_one();
        Ok(())
    }

    /// Takes an image out of the queue; says whether it was in it.
    pub(crate) async fn dequeue(&self, id: ImageId) -> io::Result<bool> {
        let folder = self.folder.clone();
        blocking(move || folder.dequeue(id)).await
    }

    /// Whether an image is in the cache.
    pub(crate) fn holds(&self, id: ImageId) -> bool {
        self.state().index.contains(id)
    }

    /// Removes an image, also one that is on its way into the cache: those who read it go on, and
    /// it is not kept. Says whether it was there.
    pub(crate) async fn remove(&self, id: ImageId) -> bool {
        let known = {
            let mut state = self.state();
            state.fills.remove(&id);
            state.index.remove(id).is_some()
        };
        let folder = self.folder.clone();
        if let Err(error) = blocking(move || folder.remove(id)).await {
            tracing::error!(image = %id, %error, "a file can't be removed from the cache");
        }
        if known {
            self.forget(id).await;
        }
        known
    }

    /// Removes all images; says how many.
    pub(crate) async fn clear(&self) -> usize {
        let mut removed = 0;
        for image in self.cached() {
            removed += usize::from(self.remove(image.image_id).await);
        }
        removed
    }

    /// Empties the queue; says how many were in it.
    pub(crate) async fn clear_queue(&self) -> io::Result<usize> {
        let mut removed = 0;
        for id in self.queued().await? {
            removed += usize::from(self.dequeue(id).await?);
        }
        Ok(removed)
    }

    /// Removes the least recently read images until the rest is no larger than
    /// `image_cache_max_size`.
    pub(crate) async fn prune(&self) -> Pruned {
        let surplus = self.state().index.surplus(self.max_size);
        let mut pruned = Pruned::default();
        for (id, size) in surplus {
            if self.remove(id).await {
                pruned.files += 1;
                pruned.bytes += size;
            }
        }
        if pruned.files > 0 {
            tracing::info!(files = pruned.files, bytes = pruned.bytes, "pruned the image cache");
        }
        pruned
    }

    /// Removes invalid files, and incomplete ones that have stalled.
    pub(crate) async fn clean(&self) -> io::Result<usize> {
        let (folder, stall) = (self.folder.clone(), self.stall_time);
        blocking(move || folder.clean(stall)).await
    }

    /// The URLs of the nodes that keep an image; `None` where nodes don't know of each other.
    pub(crate) async fn nodes(&self, id: ImageId) -> catalog::Result<Option<Vec<String>>> {
        self.records.nodes(id).await
    }

    /// Records what was read since the last time.
    pub(super) async fn record_hits(&self) {
        let unrecorded = self.state().index.take_unrecorded();
        for image in unrecorded {
            if let Err(error) = self.records.put(&image).await {
                tracing::warn!(image = %image.image_id, %error, "hits are not recorded");
            } else if !self.holds(image.image_id) {
                // Removed while it was written.
                self.forget(image.image_id).await;
            }
        }
    }

    /// Forgets the record of an image that is not here.
    pub(super) async fn forget(&self, id: ImageId) {
        if let Err(error) = self.records.remove(id).await {
            tracing::error!(image = %id, %error, "a record of the image cache stays");
        }
    }
}
