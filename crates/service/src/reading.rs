//! Reading an image's bytes from the best place that has them.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, stream};
use image::{Image, ImageId};
use store::{Data, Secret, Store, Stores, UnknownStore};

use crate::app::App;
use crate::error::Result;

/// How many bytes an image has.
pub(crate) async fn size(app: &App, image: &Image) -> Result<u64> {
    match (image.size, image.locations.first()) {
        (Some(size), _) => Ok(size),
        (None, Some(location)) => Ok(app.stores.holding(location)?.size(&location.uri).await?),
        (None, None) => Err(missing(image.id).into()),
    }
}

/// Where the bytes of an image are: its locations in stores that are enabled, the best one first.
#[derive(Clone)]
pub(crate) struct Origin {
    image: ImageId,
    places: Vec<(Arc<dyn Store>, String)>,
}

impl Origin {
    pub(crate) fn of(image: &Image, stores: &Stores) -> Self {
        let place = |location: &image::Location| {
            let report = |error: &UnknownStore| {
                tracing::warn!(image = %image.id, %error, "a location is left out");
            };
            let store = stores.holding(location).inspect_err(report).ok()?;
            Some((store.clone(), location.uri.clone()))
        };
        Self { image: image.id, places: image.locations.iter().filter_map(place).collect() }
    }

    /// One place only.
    #[cfg(test)]
    pub(crate) fn at(image: ImageId, store: Arc<dyn Store>, uri: String) -> Self {
        Self { image, places: vec![(store, uri)] }
    }

    /// A URL that opens the image's bytes of this size to a client, by the store that has them in the
    /// best place. `None` where that hands none out, or something is not as it should be: then the
    /// bytes are read here, from wherever they can be.
    pub(crate) async fn direct(&self, size: u64) -> Option<Secret> {
        let (store, uri) = self.places.first()?;
        let why = match store.direct(uri).await {
            Ok(None) => return None,
            Ok(Some(direct)) if direct.size == size => return Some(direct.url),
            Ok(Some(direct)) => format!("it has {} bytes instead of {size}", direct.size),
            Err(error) => error.to_string(),
        };
        tracing::warn!(image = %self.image, why, "a client can't be sent to the store");
        None
    }

    /// The bytes of `part`, from the first place that gives any. Once bytes have come, a failure
    /// is the reader's to know.
    pub(crate) async fn open(&self, part: Range<u64>) -> store::Result<Data> {
        let Some(((last, uri), others)) = self.places.split_last() else {
            return Err(missing(self.image));
        };
        for (store, uri) in others {
            match begun(store.open(uri, part.clone())).await {
                Ok(data) => return Ok(data),
                Err(error) => {
                    tracing::warn!(image = %self.image, %error, "another location is tried");
                }
            }
        }
        last.open(uri, part).await
    }
}

/// Bytes of which the first piece has come: until then there may be another place to read them
/// from, or an error to tell instead.
pub(crate) async fn begun(
    opening: impl Future<Output = store::Result<Data>>,
) -> store::Result<Data> {
    let mut data = opening.await?;
    match data.next().await {
        None => Ok(data),
        Some(first) => {
            let first = first?;
            Ok(stream::once(async { Ok(first) }).chain(data).boxed())
        }
    }
}

fn missing(image: ImageId) -> store::Error {
    store::Error::NotFound(format!("image {image} has no location"))
}
