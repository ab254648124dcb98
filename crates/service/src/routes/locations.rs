//! `/v2/images/{image_id}/locations`: for services that place bytes themselves.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use serde_json::Value;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::Result;
use crate::locations::{self, Attachment};
use crate::openapi::{Content, Operation};
use crate::rendering::RequestId;
use crate::{body, view};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/images/{image_id}/locations", "List the locations of an image")
        .answers(200, Content::Json("any")),
    Operation::post("/v2/images/{image_id}/locations", "Give an image its bytes by their location")
        .takes(Content::Json("object"))
        .answers(202, Content::Json("any")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/images/{image_id}/locations", get(list).post(add))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let image = app.permitted(&caller, &id, Action::FetchImageLocation).await?;
    Ok(Json(image.locations.iter().map(view::location).collect()))
}

async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    Extension(RequestId(request)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode> {
    let attachment = Attachment::parse(&body::json(&headers, body).await?)?;
    let image = app.permitted(&caller, &id, Action::AddImageLocation).await?;
    locations::attach(&app, &caller, &image, &attachment, Some(request)).await?;
    Ok(StatusCode::ACCEPTED)
}
