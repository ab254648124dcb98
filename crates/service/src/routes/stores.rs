//! `/v2/stores/{store_id}/{image_id}`: taking an image out of one of several stores.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::delete;
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use image::Status;

use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::Operation;
use crate::{locations, notices};

pub(super) const OPERATIONS: &[Operation] = &[Operation::delete(
    "/v2/stores/{store_id}/{image_id}",
    "Delete the bytes of an image from one store",
)];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/stores/{store_id}/{image_id}", delete(remove))
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((store, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let app = app.used_by(&caller, &headers);
    if !app.stores.are_named() {
        return Err(ApiError::not_found("The resource could not be found."));
    }
    app.stores.get(Some(&store)).map_err(|_| {
        let message = format!("The selected store {store} is not available on this node.");
        ApiError::conflict(message)
    })?;
    let image = app.visible(&caller, &id).await.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => ApiError::not_found(format!("Failed to find image {id}")),
        _ => error,
    })?;
    for action in [Action::GetImageLocation, Action::DeleteImageLocation] {
        app.policy.check(action, &caller, &app::target(&image))?;
    }
    if image.status != Status::Active {
        return Err(ApiError::conflict(
            "It's not allowed to remove image data from store if image status is not 'active'",
        ));
    }
    if image.locations.len() == 1 {
        return Err(ApiError::forbidden(
            "Cannot delete image data from the only store containing it. Consider deleting the \
             image instead.",
        ));
    }
    let found = image.locations.iter().find(|location| location.store.as_ref() == Some(&store));
    let location = found.ok_or_else(|| {
        ApiError::not_found(format!("Image {id} is not stored in store {store}."))
    })?;
    let image = locations::detach(&app, &image, location).await?;
    app.notifier.info("image.update", || notices::image(&image));
    Ok(StatusCode::NO_CONTENT)
}
