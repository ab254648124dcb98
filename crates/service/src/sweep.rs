//! Putting in order, at the start, what a crash left half-done.

use catalog::{Result, Viewer};
use image::{Event, ImageId, Status};
use store::Store;

use crate::app::App;
use crate::{imports, leftovers};

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
        // A task that gives it bytes which lie elsewhere goes on with them.
        if others.contains(&id) || imports::is_attaching(app, id).await? {
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

/// Removes temporary files of uploads whose service has ended: the other ones are locked. Says how
/// many. May run whoever else serves the same catalog and stores.
pub async fn sweep_temporary(app: &App) -> usize {
    let mut files = 0;
    for (name, store) in app.stores.iter() {
        files += store.sweep().await.unwrap_or_else(|error| {
            report(name, &error);
            0
        });
    }
    files
}

fn report(store: &str, error: &store::Error) {
    tracing::error!(store, %error, "the store can't be swept");
}

/// The bytes of images that are deleted or were never complete, and copies that were taken from an
/// image but not from the store.
async fn orphans(app: &App, name: &str, store: &dyn Store) -> Result<usize> {
    let report = |error| report(name, &error);
    let mut files = 0;
    for id in store.stored().await.map_err(report).unwrap_or_default() {
        let unowned = match app.catalog.status_of(id).await? {
            Some(Status::Deleted | Status::Queued) => true,
            Some(Status::Active | Status::Deactivated) => left_behind(app, id, name).await?,
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
/// is of no store that is known, or its store says that it's not its own, that can't be said: a
/// directory may have been moved.
async fn left_behind(app: &App, id: ImageId, name: &str) -> Result<bool> {
    if app.stores.enabled().len() < 2 {
        return Ok(false);
    }
    let image = app.catalog.get(&Viewer::service(), id).await?;
    let here = image.locations.iter().any(|location| app.stores.may_be_in(name, location));
    Ok(!here && !image.locations.is_empty())
}
