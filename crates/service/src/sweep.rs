//! Putting in order, at the start, what a crash left half-done.

use catalog::{Result, Viewer};
use image::{Event, ImageId, Status};
use store::Store;

use crate::app::App;
use crate::leftovers;

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that a crash interrupted: their images are queued again.
    pub uploads: usize,
    /// Files that no image owns.
    pub files: usize,
}

/// Ends interrupted uploads and removes the bytes that nobody owns. Must run before the first
/// request, and where no Glance serves the same catalog: it takes every image that is `saving` for
/// interrupted, unless another service has noted that it receives its bytes. Bytes of images that
/// the catalog never knew are left alone.
pub async fn sweep(app: &App) -> Result<Swept> {
    let mut swept = Swept::default();
    let others = app.receiving.of_others().await?;
    for id in app.catalog.ids_with_status(Status::Saving).await? {
        if others.contains(&id) {
            continue;
        }
        swept.files += leftovers::clear_all(app, id).await;
        app.catalog.transition(id, Event::Abandon).await?;
        swept.uploads += 1;
    }
    for (name, store) in app.stores.iter() {
        swept.files += orphans(app, name, store.as_ref()).await?;
    }
    Ok(swept)
}

/// Temporary files, the bytes of images that are deleted or were never complete, and copies that
/// were taken from an image but not from the store.
async fn orphans(app: &App, name: &str, store: &dyn Store) -> Result<usize> {
    let report = |error| {
        tracing::error!(store = name, %error, "the store can't be swept");
    };
    let mut files = store.sweep().await.map_err(report).unwrap_or_default();
    for id in store.stored().await.map_err(report).unwrap_or_default() {
        let unowned = match app.catalog.status_of(id).await? {
            Some(Status::Deleted | Status::Queued) => true,
            Some(Status::Active | Status::Deactivated) => left_behind(app, id, store).await?,
            _ => false,
        };
        if unowned {
            let found = store.discard(id).await.map_err(report).unwrap_or_default();
            files += usize::from(found);
        }
    }
    Ok(files)
}

/// Whether an image's bytes are known to be elsewhere, and only there. Where one of its locations
/// is of no store that is known, that can't be said.
async fn left_behind(app: &App, id: ImageId, store: &dyn Store) -> Result<bool> {
    if app.stores.enabled().len() < 2 {
        return Ok(false);
    }
    let image = app.catalog.get(&Viewer::service(), id).await?;
    let known = image.locations.iter().all(|location| app.stores.holding(location).is_ok());
    let here = image.locations.iter().any(|location| store.holds(&location.uri));
    Ok(known && !here && !image.locations.is_empty())
}
