//! `/v2/images/{image_id}/tags/{tag}`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::put;
use http::StatusCode;
use identity::Caller;
use identity::policy::Action;
use image::Image;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::Operation;
use crate::{create, notices, property};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::put("/v2/images/{image_id}/tags/{tag}", "Attach a tag to an image"),
    Operation::delete("/v2/images/{image_id}/tags/{tag}", "Take a tag off an image"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/images/{image_id}/tags/{tag}", put(add).delete(remove))
}

async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, tag)): Path<(String, String)>,
) -> Result<StatusCode> {
    let mut image = tagged(&app, &caller, &id).await?;
    let tag = property::checked_tag(&tag).map_err(ApiError::bad_request)?;
    image.tags.insert(tag.clone());
    create::check_tags(&image, &app.limits).map_err(|error| error.about("tag", image.id))?;
    app.catalog.add_tag(image.id, &tag).await?;
    app.notifier.info("image.update", || notices::image(&image));
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, tag)): Path<(String, String)>,
) -> Result<StatusCode> {
    let mut image = tagged(&app, &caller, &id).await?;
    match app.catalog.remove_tag(image.id, &tag).await? {
        true => {
            image.tags.remove(&tag);
            app.notifier.info("image.update", || notices::image(&image));
            Ok(StatusCode::NO_CONTENT)
        }
        false => Err(ApiError::not_found("The resource could not be found.")),
    }
}

async fn tagged(app: &App, caller: &Caller, id: &str) -> Result<Image> {
    let image = app.permitted(caller, id, Action::ModifyImage).await;
    image.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => ApiError::not_found(format!("Image {id} not found.")),
        _ => error,
    })
}
