//! `/v2/images/{image_id}/actions/…`: closing an image and opening it again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use http::StatusCode;
use identity::policy::Action;
use image::Event;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::Operation;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::post("/v2/images/{image_id}/actions/deactivate", "Close an image to downloads"),
    Operation::post("/v2/images/{image_id}/actions/reactivate", "Open an image again"),
];
use crate::notices;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/images/{image_id}/actions/deactivate", post(deactivate))
        .route("/images/{image_id}/actions/reactivate", post(reactivate))
}

async fn deactivate(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    act(&app, &caller, &id, Action::Deactivate, Event::Deactivate).await
}

async fn reactivate(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    act(&app, &caller, &id, Action::Reactivate, Event::Reactivate).await
}

async fn act(
    app: &App,
    caller: &Authenticated,
    id: &str,
    action: Action,
    event: Event,
) -> Result<StatusCode> {
    let mut image = app.permitted(caller, id, action).await?;
    let next = image.status.next(event).map_err(|_| {
        let name = action.name();
        ApiError::forbidden(format!("Not allowed to {name} image in status '{}'", image.status))
    })?;
    if next != image.status {
        image.status = app.catalog.transition(image.id, event).await?;
        app.notifier.info("image.update", || notices::image(&image));
    }
    Ok(StatusCode::NO_CONTENT)
}
