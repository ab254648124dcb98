//! Where images' bytes are, as far as the API shows it and lets it be changed.
//!
//! There are two ways to give an image bytes that lie elsewhere: patches of `/locations`, for those
//! who may see locations, and `/v2/images/{id}/locations`, whose bytes are read and digested.

mod attach;
mod change;
mod erase;
mod operation;
mod quota;
mod settings;
mod validation;

pub(crate) use attach::{Attachment, abandon, attach, proceed};
pub(crate) use change::{carry_out, plan};
pub(crate) use erase::{delete, detach, expect_deletable};
pub(crate) use operation::split;
pub use settings::LocationSettings;

use image::{ImageId, Location};

use crate::app::App;
use crate::error::{ApiError, Result};

/// Looks at a location that a user names for an image: its store must take it from users, and have
/// bytes there. Says how many.
async fn check(app: &App, id: ImageId, location: &Location) -> Result<u64> {
    let invalid = || ApiError::bad_request("Invalid location");
    let store = app.stores.holding(location).map_err(|_| invalid())?;
    store.admit(id, &location.uri).await.map_err(|error| {
        tracing::info!(%error, "a location is refused");
        invalid()
    })?;
    match store.size(&location.uri).await {
        Ok(size) if size > 0 => Ok(size),
        Ok(_) => Err(invalid()),
        Err(error) => {
            tracing::info!(%error, "a location can't be read");
            Err(invalid())
        }
    }
}
