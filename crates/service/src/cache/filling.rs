//! The life of a fill: begun by who asks first, kept alive by who follows, and at its end a file of
//! the cache or nothing.

use std::collections::HashMap;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use catalog::CachedImage;
use image::{Image, ImageId, Timestamp};
use tokio::sync::watch;

use super::fill::{Broken, Fill, Progress};
use super::{Cache, blocking, folder};
use crate::reading::Origin;

/// What came of asking for a fill.
pub(super) enum Filling {
    /// It is under way.
    Under(Followed),
    /// It was, and has just ended.
    Done,
}

/// A fill that is followed: it is not given up before this is dropped.
pub(super) struct Followed {
    fill: Arc<Fill>,
    pub(super) progress: watch::Receiver<Progress>,
}

impl Followed {
    fn new(fill: Arc<Fill>) -> Self {
        let progress = fill.follow();
        Self { fill, progress }
    }
}

impl Deref for Followed {
    type Target = Fill;

    fn deref(&self) -> &Fill {
        &self.fill
    }
}

impl Cache {
    /// The fill of an image: the one that is under way, or a new one.
    pub(super) async fn fill(
        self: &Arc<Self>,
        image: &Image,
        size: u64,
        origin: &Origin,
    ) -> io::Result<Filling> {
        if let Some(filling) = self.under_way(image.id) {
            return Ok(filling);
        }
        let (folder, id) = (self.folder.clone(), image.id);
        let (file, path) = blocking(move || folder.begin(id)).await?;
        let fill = Arc::new(Fill::new(image, size, file, path.clone()));
        if let Some(followed) = self.register(fill.clone()) {
            let (cache, origin) = (self.clone(), origin.clone());
            tokio::spawn(async move { cache.run(fill, origin).await });
            return Ok(Filling::Under(followed));
        }
        // Whoever asked at the same time and was quicker is followed.
        blocking(move || folder::remove_if_there(&path)).await?;
        Ok(self.under_way(id).unwrap_or(Filling::Done))
    }

    /// Puts a fill within reach, unless there is one already or the image is here.
    fn register(&self, fill: Arc<Fill>) -> Option<Followed> {
        let mut state = self.state();
        if state.fills.contains_key(&fill.id) || state.index.contains(fill.id) {
            return None;
        }
        state.fills.insert(fill.id, fill.clone());
        Some(Followed::new(fill))
    }

    fn under_way(&self, id: ImageId) -> Option<Filling> {
        let state = self.state();
        state.fills.get(&id).map(|fill| Filling::Under(Followed::new(fill.clone())))
    }

    /// The life of a fill. It owns its file; its followers keep it alive.
    async fn run(self: Arc<Self>, fill: Arc<Fill>, origin: Origin) {
        let fetched = self.fetch(&fill, &origin).await;
        fill.tell(&fetched);
        let kept = match fetched {
            Ok(checksum) => self.publish(&fill, checksum).await,
            Err(why) => Err(why),
        };
        if let Err(why) = kept {
            match why {
                Broken::Abandoned => tracing::debug!(image = %fill.id, %why, "not cached"),
                _ => tracing::error!(image = %fill.id, %why, "not cached"),
            }
            self.give_up(&fill).await;
        }
        self.grown.notify_one();
    }

    async fn fetch(&self, fill: &Arc<Fill>, origin: &Origin) -> Result<String, Broken> {
        let mut fetching = std::pin::pin!(fill.fetch(origin));
        loop {
            tokio::select! {
                outcome = &mut fetching => return outcome,
                () = fill.left_alone() => {
                    if self.let_go(fill) {
                        return Err(Broken::Abandoned);
                    }
                }
            }
        }
    }

    /// Takes a fill that nobody follows out of reach; says whether that is so.
    fn let_go(&self, fill: &Arc<Fill>) -> bool {
        let mut state = self.state();
        if fill.has_followers() {
            return false;
        }
        state.fills.remove_if_same(fill);
        true
    }

    /// Bytes first, then the record, then the name: a name never stands for less than all bytes.
    async fn publish(&self, fill: &Arc<Fill>, checksum: String) -> Result<(), Broken> {
        let file = fill.file.clone();
        blocking(move || file.sync_all()).await?;
        let now = Timestamp::now();
        let mut image = CachedImage {
            row: None,
            image_id: fill.id,
            size: fill.size,
            hits: 0,
            last_accessed: now,
            last_modified: now,
            checksum: Some(checksum),
        };
        match self.records.put(&image).await {
            Ok(row) => image.row = row,
            Err(error) => {
                tracing::error!(image = %fill.id, %error, "a cached image is not recorded")
            }
        }
        let folder = self.folder.clone();
        {
            let mut state = self.state();
            if !state.fills.remove_if_same(fill) {
                return Err(Broken::Abandoned);
            }
            // One system call: quicker than handing it to a thread.
            folder.publish(&fill.path, fill.id)?;
            state.index.insert(image);
        }
        let id = fill.id;
        blocking(move || folder.sync().and_then(|()| folder.dequeue(id))).await?;
        Ok(())
    }

    async fn give_up(&self, fill: &Arc<Fill>) {
        self.state().fills.remove_if_same(fill);
        let path = fill.path.clone();
        if let Err(error) = blocking(move || folder::remove_if_there(&path)).await {
            tracing::error!(image = %fill.id, %error, "an incomplete file stays in the cache");
        }
        if !self.state().index.contains(fill.id) {
            self.forget(fill.id).await;
        }
    }
}

trait Fills {
    /// Removes this fill, not another one of the same image; says whether it was there.
    fn remove_if_same(&mut self, fill: &Arc<Fill>) -> bool;
}

impl Fills for HashMap<ImageId, Arc<Fill>> {
    fn remove_if_same(&mut self, fill: &Arc<Fill>) -> bool {
        let same = self.get(&fill.id).is_some_and(|known| Arc::ptr_eq(known, fill));
        same && self.remove(&fill.id).is_some()
    }
}
