//! Reading an image through the cache: from its file, from the file that grows, or past the cache.

use std::ops::Range;
use std::sync::Arc;

use image::{Image, ImageId, Timestamp};
use store::{Data, Store};

use super::Cache;
use super::filling::Filling;
use super::follow::follow;
use crate::reading::{Origin, begun};

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
        if let Some(data) = self.hit(image.id, size, range.clone()).await {
            return Ok(data);
        }
        // Who wants a part only is not made to wait for the whole.
        if range != (0..size) || !self.fits(size) {
            return origin.open(range).await;
        }
        match self.fill(image, size, &origin).await {
            Ok(Filling::Under(fill)) => begun(async { Ok(follow(&fill, origin, range)) }).await,
            Ok(Filling::Done) => match self.hit(image.id, size, range.clone()).await {
                Some(data) => Ok(data),
                None => origin.open(range).await,
            },
            Err(error) => {
                tracing::error!(image = %image.id, %error, "can't fill the image cache");
                origin.open(range).await
            }
        }
    }

    /// Whether a download of an image would be served from its file.
    pub(crate) fn has(&self, id: ImageId) -> bool {
        self.downloads && self.state().index.contains(id)
    }

    pub(super) fn fits(&self, size: u64) -> bool {
        size > 0 && size <= self.max_size
    }

    /// The file of an image, if it is here, as large as the image, and can be read.
    async fn hit(&self, id: ImageId, size: u64, range: Range<u64>) -> Option<Data> {
        let cached = self.state().index.hit(id, Timestamp::now())?;
        let uri = format!("file://{}", self.folder.file(id).display());
        let opened = match cached == size {
            true => self.files.open(&uri, range).await,
            false => Err(store::Error::NotFound(uri)),
        };
        match opened {
            Ok(data) => Some(data),
            Err(store::Error::NotFound(_)) => {
                tracing::warn!(image = %id, "a cached file is gone or of another size");
                self.remove(id).await;
                None
            }
            Err(error) => {
                tracing::error!(image = %id, %error, "a cached file can't be read");
                None
            }
        }
    }
}
