//! The store in Cinder: each image is a volume `image-<id>` in the project of the service, as the
//! `cinder` driver of glance_store lays it out. Cinder makes, clones, extends and removes volumes; to
//! be read and written they are attached to this host, and reached as Cinder says.

mod attached;
mod attachment;
mod device;
mod host;
mod location;
mod options;
mod read;
mod session;
#[cfg(test)]
mod tests;
mod upload;
mod volume;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;
use serde_json::{Map, Value, json};

use crate::remote::Writers;
use crate::{Abilities, Data, Error, Original, Result, Source, Store, Written};

use attached::Attaching;
use location::{Location, SCHEMES};
use upload::{Half, Making, WRITE};
use volume::{Mark, Volume, name};

pub(crate) use options::KIND;

/// Volumes that hold image data.
pub struct CinderStore {
    /// The store's name in locations, where stores have names.
    name: Option<String>,
    /// That of its volumes.
    mark: Mark,
    attaching: Arc<Attaching>,
    making: Making,
    use_multipath: bool,
    writers: Writers,
}

impl CinderStore {
    /// The volume that a location names. Errors: `NotFound`, `BadLocation`.
    async fn find(&self, uri: &str) -> Result<Volume> {
        let location = Location::parse(uri).ok_or_else(|| Error::BadLocation(uri.to_owned()))?;
        match self.attaching.session.volume(location.volume).await {
            Err(Error::NotFound(_)) => Err(Error::NotFound(uri.to_owned())),
            found => found,
        }
    }

    /// How many bytes an image has of which this store has made a volume.
    async fn size_of(&self, id: ImageId) -> Result<u64> {
        let volumes = self.attaching.session.volumes_of(id, &self.mark).await?;
        let first = volumes.first().map(Volume::image_size);
        first.ok_or_else(|| Error::NotFound(name(id)))
    }

    /// Has a volume made by `fill`, and undone by `half` where that fails.
    async fn make(
        &self,
        half: Half,
        id: ImageId,
        fill: impl Future<Output = Result<u64>>,
    ) -> Result<Written> {
        let (room, size) = (std::future::ready(Ok(())), self.size_of(id));
        let undo = half.clone().undo();
        let written = self.writers.put(id, name(id), room, size, undo, fill).await?;
        let volume = half.volume().ok_or_else(|| {
            self.attaching.session.failing("a volume was filled that was not made")
        })?;
        let uri = Location { store: self.name.clone(), volume }.to_string();
        Ok(Written { uri, ..written })
    }
}

#[async_trait]
impl Store for CinderStore {
    fn kind(&self) -> &'static str {
        "cinder"
    }

    fn abilities(&self) -> Abilities {
        Abilities { copies: true, boundaries: vec![WRITE], ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    /// Older locations have no name: they are held by any store of this kind.
    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|at| at.store.is_none() || at.store == self.name)
    }

    /// Cinder makes volumes of images itself where it is to (`image_upload_use_cinder_backend`), and
    /// names them as Glance does. What has another name is another's.
    async fn admit(&self, id: ImageId, uri: &str) -> Result<()> {
        match self.holds(uri) && self.find(uri).await?.is_named_for(id) {
            true => Ok(()),
            false => Err(Error::BadLocation(uri.to_owned())),
        }
    }

    fn properties(&self) -> Map<String, Value> {
        // What Glance tells of this kind, and in its words.
        Map::from_iter([
            ("volume_type".to_owned(), json!(self.making.volume_type)),
            ("use_multipath".to_owned(), json!(self.use_multipath)),
        ])
    }

    async fn probe(&self) -> Result<()> {
        self.attaching.session.answers().await
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let half = Half::of(self.attaching.clone(), id, &self.mark);
        let filler = half.clone();
        self.make(half, id, filler.fill(&self.making, hint, source)).await
    }

    async fn copy(&self, id: ImageId, from: Original<'_>) -> Result<Option<Written>> {
        let source = match self.find(from.uri).await {
            Ok(source) if source.may_be_of(self.making.volume_type.as_deref()) => source,
            // Another Cinder's, or to be of another type: its bytes have to be moved.
            Ok(_) | Err(Error::NotFound(_) | Error::BadLocation(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let half = Half::of(self.attaching.clone(), id, &self.mark);
        let cloner = half.clone();
        self.make(half, id, cloner.clone_of(&source)).await.map(Some)
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let volume = self.find(uri).await?;
        read::read(&self.attaching, volume.id, range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.find(uri).await.map(|volume| volume.image_size())
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        let volume = self.find(uri).await?;
        self.attaching.release(volume.id).await?;
        self.attaching.session.remove(volume.id).await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        self.attaching.remove_all(id, &self.mark).await
    }

    async fn settled(&self) {
        self.writers.settled().await;
        self.attaching.cleanups.settled().await;
    }
}
