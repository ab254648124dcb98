//! Where the bytes of an image come from when they are not in the cache.

use std::ops::Range;
use std::sync::Arc;

use image::Image;
use store::{Data, Store, Stores};

/// An image's bytes in a store.
#[derive(Clone)]
pub(crate) struct Origin {
    store: Arc<dyn Store>,
    uri: String,
}

impl Origin {
    pub(crate) fn new(store: Arc<dyn Store>, uri: String) -> Self {
        Self { store, uri }
    }

    /// The first location of an image, in a store that is enabled.
    pub(super) fn of(image: &Image, stores: &Stores) -> Option<Self> {
        image.locations.iter().find_map(|location| {
            let store = stores.holding(location).ok()?;
            Some(Self::new(store.clone(), location.uri.clone()))
        })
    }

    pub(crate) async fn open(&self, range: Range<u64>) -> store::Result<Data> {
        self.store.open(&self.uri, range).await
    }
}
