//! `/v2/schemas/…`: JSON schemas of what the API shows.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};
use crate::schemas::{self, metadefs};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/schemas/image", "Show the schema of an image")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/images", "Show the schema of a list of images")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/member", "Show the schema of a member")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/members", "Show the schema of a list of members")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/task", "Show the schema of a task")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/tasks", "Show the schema of a list of tasks")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/metadefs/{name}", "Show a schema of metadata definitions")
        .answers(200, Content::Json("object")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/schemas/image", get(image))
        .route("/schemas/images", get(images))
        .route("/schemas/member", get(async |_: Authenticated| served(schemas::member())))
        .route("/schemas/members", get(async |_: Authenticated| served(schemas::members())))
        .route("/schemas/task", get(async |_: Authenticated| served(schemas::task())))
        .route("/schemas/tasks", get(async |_: Authenticated| served(schemas::tasks())))
        .route("/schemas/metadefs/{name}", get(metadef))
}

async fn metadef(_: Authenticated, Path(name): Path<String>) -> Result<Json<&'static Value>> {
    let found = metadefs::SERVED.iter().find(|(known, _)| *known == name);
    let (_, schema) =
        found.ok_or_else(|| ApiError::not_found("The resource could not be found."))?;
    Ok(served(schema))
}

async fn image(State(app): State<Arc<App>>, _: Authenticated) -> Response {
    Json(&app.rules.schemas.image).into_response()
}

async fn images(State(app): State<Arc<App>>, _: Authenticated) -> Response {
    Json(&app.rules.schemas.images).into_response()
}

fn served(schema: &'static Value) -> Json<&'static Value> {
    Json(schema)
}
