//! Reading an image through the cache: from its file, from the file that grows, or past the cache.

use std::ops::Range;
use std::sync::Arc;

use catalog::CachedImage;
use image::{Image, ImageId, Timestamp};
use store::{Data, Store};
use tokio::sync::watch;

use super::fill::{Broken, Fill, Progress};
use super::follow::follow;
use super::{Cache, blocking};
use crate::reading::Origin;

impl Cache {
    /// The bytes of `range` of an image of `size` bytes. The caller has decided that they may be
    /// read.
    pub(crate) async fn read(
        self: &Arc<Self>,
        image: &Image,
        size: u64,
        range: Range<u64>,
        origin: Origin,
    ) -> store::Result<Data> {
        if !self.downloads || range.is_empty() {
            return origin.open(range).await;
        }
        if let Some(data) = self.hit(image.id, size, range.clone()).await? {
            return Ok(data);
        }
        // Who wants a part only is not made to wait for the whole.
        if range != (0..size) || !self.fits(size) {
            return origin.open(range).await;
        }
        match self.fill(image, size, &origin).await {
            Ok(Filling::Under(fill)) => Ok(follow(&fill, origin, range)),
            Ok(Filling::Done) => match self.hit(image.id, size, range.clone()).await? {
                Some(data) => Ok(data),
                None => origin.open(range).await,
            },
            Err(error) => {
                tracing::error!(image = %image.id, %error, "can't fill the image cache");
                origin.open(range).await
            }
        }
    }

    pub(super) fn fits(&self, size: u64) -> bool {
        size > 0 && size <= self.max_size
    }

    /// The file of an image, if it is here and as large as the image.
    async fn hit(&self, id: ImageId, size: u64, range: Range<u64>) -> store::Result<Option<Data>> {
        let Some(cached) = self.state().index.hit(id, Timestamp::now()) else { return Ok(None) };
        let opened = match cached == size {
            true => {
                self.files.open(&format!("file://{}", self.folder.file(id).display()), range).await
            }
            false => Err(store::Error::NotFound(id.to_string())),
        };
        match opened {
            Err(store::Error::NotFound(_)) => {
                tracing::warn!(image = %id, "a cached file is gone or of another size");
                self.remove(id).await;
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }

    /// The fill of an image: the one that is under way, or a new one.
    pub(super) async fn fill(
        self: &Arc<Self>,
        image: &Image,
        size: u64,
        origin: &Origin,
    ) -> std::io::Result<Filling> {
        if let Some(filling) = self.under_way(image.id) {
            return Ok(filling);
        }
        let (folder, id) = (self.folder.clone(), image.id);
        let (file, path) = blocking(move || folder.begin(id)).await?;
        let fill = Arc::new(Fill::new(image, size, file, path.clone()));
        // Whoever asked at the same time and was quicker is followed.
        let first = {
            let mut state = self.state();
            match state.fills.contains_key(&id) || state.index.contains(id) {
                true => None,
                false => {
                    state.fills.insert(id, fill.clone());
                    Some(Followed::new(fill))
                }
            }
        };
        match first {
            Some(followed) => {
                let (cache, origin) = (self.clone(), origin.clone());
                let fill = followed.fill.clone();
                tokio::spawn(async move { cache.run(fill, origin).await });
                Ok(Filling::Under(followed))
            }
            None => {
                blocking(move || super::folder::remove_if_there(&path)).await?;
                Ok(self.under_way(id).unwrap_or(Filling::Done))
            }
        }
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
        if let Err(error) = blocking(move || super::folder::remove_if_there(&path)).await {
            tracing::error!(image = %fill.id, %error, "an incomplete file stays in the cache");
        }
        if !self.state().index.contains(fill.id) {
            self.forget(fill.id).await;
        }
    }
}

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

impl std::ops::Deref for Followed {
    type Target = Fill;

    fn deref(&self) -> &Fill {
        &self.fill
    }
}

trait Fills {
    /// Removes this fill, not another one of the same image; says whether it was there.
    fn remove_if_same(&mut self, fill: &Arc<Fill>) -> bool;
}

impl Fills for std::collections::HashMap<ImageId, Arc<Fill>> {
    fn remove_if_same(&mut self, fill: &Arc<Fill>) -> bool {
        let same = self.get(&fill.id).is_some_and(|known| Arc::ptr_eq(known, fill));
        same && self.remove(&fill.id).is_some()
    }
}
