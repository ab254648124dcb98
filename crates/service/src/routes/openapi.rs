//! `/v2/openapi.json`: the description of the API.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};

use crate::app::App;
use crate::openapi::{Content, Operation, document};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::get("/v2/openapi.json", "Show this description")
        .answers(200, Content::Json("object"))
        .open()];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/openapi.json", get(async || Json(document())))
}
