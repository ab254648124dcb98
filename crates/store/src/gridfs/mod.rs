//! The store in GridFS: each image is a file of a MongoDB whose `_id` is the image's, as the `gridfs`
//! driver of glance_store laid it out. The server is spoken to with MongoDB's own driver; files and
//! chunks are written here, so that a file is there when all of its chunks are.

mod bucket;
mod failure;
mod file;
mod location;
mod options;
mod read;
mod server;
mod upload;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;
use mongodb::bson::Bson;

use crate::remote::{Writers, resuming};
use crate::{Abilities, Data, Error, Result, Source, Store, Written};

use bucket::Bucket;
use file::CHUNK;
use location::{SCHEMES, uri};
use read::Object;
use upload::{BATCH, Upload};

pub(crate) use options::KIND;

/// The files of a bucket that hold image data.
pub struct GridfsStore {
    bucket: Arc<Bucket>,
    writers: Writers,
}

/// The `_id` of the file that a location names.
fn named(uri: &str) -> Result<&str> {
    location::parse(uri).ok_or_else(|| Error::BadLocation(uri.to_owned()))
}

#[async_trait]
impl Store for GridfsStore {
    fn kind(&self) -> &'static str {
        "gridfs"
    }

    fn abilities(&self) -> Abilities {
        let batch = CHUNK * (1 + BATCH as u64);
        Abilities { boundaries: vec![CHUNK, batch], ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    /// Locations do not say which database they are of.
    fn holds(&self, uri: &str) -> bool {
        location::parse(uri).is_some()
    }

    /// Others may keep files in the database, and images of other tenants are in it: an image has
    /// the file of its own id.
    async fn admit(&self, id: ImageId, uri: &str) -> Result<()> {
        match location::parse(uri) == Some(&*id.to_string()) {
            true => Ok(()),
            false => Err(Error::BadLocation(uri.to_owned())),
        }
    }

    async fn probe(&self) -> Result<()> {
        self.bucket.answers().await
    }

    async fn put(&self, id: ImageId, _hint: Option<u64>, source: Source) -> Result<Written> {
        let upload = Upload::to(self.bucket.clone(), id);
        let name = id.to_string();
        let size = async { self.bucket.file(&name).await.map(|file| file.length) };
        let (undo, send) = (upload.clone().undo(), upload.send(source));
        self.writers.put(id, uri(&name), self.bucket.prepare(), size, undo, send).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let id = named(uri)?;
        let file = self.bucket.file(id).await?;
        resuming(Object::of(self.bucket.clone(), id, file), range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.bucket.file(named(uri)?).await.map(|file| file.length)
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        match self.bucket.remove(named(uri)?).await? {
            true => Ok(()),
            false => Err(Error::NotFound(uri.to_owned())),
        }
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        self.bucket.remove(&id.to_string()).await
    }

    async fn settled(&self) {
        self.writers.settled().await;
    }

    /// Also those of which there are chunks alone.
    async fn stored(&self) -> Result<Vec<ImageId>> {
        let ids = self.bucket.ids().await?;
        let names = ids.iter().filter_map(Bson::as_str);
        let mut images: Vec<ImageId> = names.filter_map(|id| id.parse().ok()).collect();
        images.sort();
        images.dedup();
        Ok(images)
    }
}
