//! `/v2/schemas/…`: JSON schemas of what the API shows.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use crate::app::App;
use crate::caller::Authenticated;
use crate::openapi::{Content, Operation};
use crate::schemas;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/schemas/image", "Show the schema of an image")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/images", "Show the schema of a list of images")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/member", "Show the schema of a member")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/schemas/members", "Show the schema of a list of members")
        .answers(200, Content::Json("object")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    let metadefs = schemas::metadefs::SERVED.iter().map(|(name, schema)| {
        let path = format!("/schemas/metadefs/{name}");
        (path, get(async |_: Authenticated| served(schema)))
    });
    let router = metadefs.fold(Router::new(), |router, (path, get)| router.route(&path, get));
    router
        .route("/schemas/image", get(async |_: Authenticated| served(schemas::image())))
        .route("/schemas/images", get(async |_: Authenticated| served(schemas::images())))
        .route("/schemas/member", get(async |_: Authenticated| served(schemas::member())))
        .route("/schemas/members", get(async |_: Authenticated| served(schemas::members())))
        .route("/schemas/task", get(async |_: Authenticated| served(schemas::task())))
        .route("/schemas/tasks", get(async |_: Authenticated| served(schemas::tasks())))
}

fn served(schema: &'static Value) -> Json<&'static Value> {
    Json(schema)
}
