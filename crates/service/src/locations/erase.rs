//! Taking bytes away: from one place of several, or from all.

use image::{Image, Location};

use crate::app::App;
use crate::error::Result;

/// Takes one of several locations from an image, and the bytes from there. The record goes first:
/// of two who take different ones, the catalog lets only one go on, and bytes that a crash leaves
/// are found at the next start. When the store keeps the bytes, the record comes back.
pub(crate) async fn detach(app: &App, image: &Image, location: &Location) -> Result<Image> {
    let after = app.catalog.remove_location(image.id, location).await?;
    let Ok(store) = app.stores.holding(location) else {
        tracing::warn!(image = %image.id, "the bytes stay: their store is not enabled");
        return Ok(app.settled(after));
    };
    match store.delete(&location.uri).await {
        Ok(()) | Err(store::Error::NotFound(_) | store::Error::ReadOnly(_)) => {
            Ok(app.settled(after))
        }
        Err(error) => {
            app.catalog.add_location(image.id, location).await?;
            Err(error.into())
        }
    }
}

/// Takes the bytes of a deleted image away. What can't be taken away now stays until the next
/// sweep.
pub(crate) async fn erase(app: &App, image: &Image, locations: &[Location]) {
    for location in locations {
        let erased = match app.stores.holding(location) {
            Ok(store) => store.delete(&location.uri).await,
            Err(unknown) => {
                tracing::warn!(image = %image.id, error = %unknown, "image data stays");
                continue;
            }
        };
        match erased {
            Ok(()) | Err(store::Error::ReadOnly(_)) => {}
            Err(error) => {
                tracing::warn!(image = %image.id, %error, "image data stays until the next sweep");
            }
        }
    }
}
