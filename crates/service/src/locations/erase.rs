//! Taking bytes away: from one place of several, or from all.

use catalog::{Catalog, Removal};
use image::{Image, Location};
use store::Stores;

use crate::app::App;
use crate::error::Result;

/// Takes one of several locations from an image, and the bytes from there. The record goes first:
/// of two who take different ones, the catalog lets only one go on, and bytes that a crash leaves
/// are found at the next start. When the store keeps the bytes, the record comes back.
/// Where deletions are put off, the bytes stay until the image's own go, as in Glance.
pub(crate) async fn detach(app: &App, image: &Image, location: &Location) -> Result<Image> {
    let catalog = app.catalog.as_ref();
    let after = match app.rules.deletion.delayed {
        true => catalog.remove_location(image.id, location, Removal::Later).await?,
        false => take(catalog, &app.stores, image, location).await?,
    };
    Ok(app.settled(after))
}

async fn take(
    catalog: &dyn Catalog,
    stores: &Stores,
    image: &Image,
    location: &Location,
) -> Result<Image> {
    let after = catalog.remove_location(image.id, location, Removal::Now).await?;
    let Ok(store) = stores.holding(location) else {
        tracing::warn!(image = %image.id, "the bytes stay: their store is not enabled");
        return Ok(after);
    };
    match store.delete(&location.uri).await {
        Ok(()) | Err(store::Error::NotFound(_) | store::Error::ReadOnly(_)) => Ok(after),
        Err(error) => {
            catalog.add_location(image.id, location).await?;
            Err(error.into())
        }
    }
}

/// Looks whether the bytes of an image can be taken away. Errors: a store says that they are in use.
/// What else is wrong with a store does not keep an image from being deleted.
pub(crate) async fn expect_deletable(app: &App, image: &Image) -> store::Result<()> {
    for location in &image.locations {
        let Ok(store) = app.stores.holding(location) else { continue };
        match store.expect_deletable(&location.uri).await {
            Err(used @ store::Error::InUse { .. }) => return Err(used),
            Err(error) => tracing::debug!(image = %image.id, %error, "nothing is known before"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Takes the bytes of a deleted image away, the latest location first: it may be a clone of an
/// earlier one. What can't be taken away now, for its store is away or somebody uses it, is removed
/// later, where it is at the image's own place.
pub(crate) async fn erase(app: &App, image: &Image, locations: &[Location]) {
    for location in locations.iter().rev() {
        let Some(holder) = app.stores.find(location) else {
            tracing::warn!(image = %image.id, uri = location.scheme(), "its store is not enabled");
            continue;
        };
        match holder.store.delete(&location.uri).await {
            Ok(()) | Err(store::Error::ReadOnly(_)) => {}
            Err(error) => {
                tracing::warn!(image = %image.id, %error, "image data stays for now");
                if matches!(error, store::Error::Unavailable { .. } | store::Error::InUse { .. }) {
                    app.leftovers.note(image.id, &holder.name).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use async_trait::async_trait;
    use catalog::Stored;
    use catalog::sql::SqlCatalog;
    use http::StatusCode;
    use image::{ImageId, Timestamp};
    use store::{Data, Error, Source, Store, Written};

    use super::*;

    /// A store whose bytes somebody uses: they can't be deleted.
    struct InUse;

    #[async_trait]
    impl Store for InUse {
        fn kind(&self) -> &'static str {
            "in use"
        }

        fn schemes(&self) -> &'static [&'static str] {
            &["used"]
        }

        fn holds(&self, uri: &str) -> bool {
            uri.starts_with("used://")
        }

        async fn put(&self, _: ImageId, _: Option<u64>, _: Source) -> store::Result<Written> {
            Err(Error::ReadOnly("used".into()))
        }

        async fn open(&self, uri: &str, _: Range<u64>) -> store::Result<Data> {
            Err(Error::NotFound(uri.to_owned()))
        }

        async fn size(&self, _: &str) -> store::Result<u64> {
            Ok(1)
        }

        async fn delete(&self, uri: &str) -> store::Result<()> {
            Err(Error::InUse { uri: uri.to_owned(), why: "it has clones".into() })
        }

        async fn discard(&self, _: ImageId) -> store::Result<bool> {
            Ok(false)
        }
    }

    #[tokio::test]
    async fn bytes_that_are_in_use_stay_with_their_record() {
        let catalog = SqlCatalog::memory().await.unwrap();
        let stores = Stores::single("used", Arc::new(InUse));
        let image = Image::new(ImageId::random(), None, Timestamp::now());
        catalog.create(&image).await.unwrap();
        let used = Location::new("used://x", Some("used"));
        let stored = Stored {
            location: used.clone(),
            size: 1,
            virtual_size: None,
            hashes: None,
            upload: None,
        };
        catalog.activate(image.id, &stored).await.unwrap();
        let other = Location::new("other://x", Some("other"));
        let image = catalog.add_location(image.id, &other).await.unwrap();

        let refused = take(&catalog, &stores, &image, &used).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let viewer = catalog::Viewer::service();
        let after = catalog.get(&viewer, image.id).await.unwrap();
        assert!(after.locations.contains(&used), "{:?}", after.locations);
    }
}
