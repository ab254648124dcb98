//! How many locations an image may have, and what their bytes take of a project's share.

use image::ImageId;

use crate::app::App;
use crate::error::{ApiError, Result};
use crate::quota;

/// Refuses more locations than `image_location_quota` allows.
pub(super) fn expect_place(app: &App, attempted: usize) -> Result<()> {
    let maximum = app.locations.quota;
    if attempted <= maximum {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "The limit has been exceeded on the number of allowed image locations. Attempted: \
         {attempted}, Maximum: {maximum}"
    )))
}

/// Refuses bytes that `user_storage_quota` leaves no room for, besides what is used already; but
/// for what an image uses whose locations are replaced.
pub(super) async fn expect_room(
    app: &App,
    project: Option<&str>,
    size: u64,
    replaced: Option<ImageId>,
) -> Result<()> {
    let Some(remaining) = quota::remaining(app, project, replaced).await? else { return Ok(()) };
    if i128::from(size) <= remaining {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "Denying attempt to upload image because it exceeds the quota: The size of the data {size} \
         will exceed the limit. {remaining} bytes remaining."
    )))
}
