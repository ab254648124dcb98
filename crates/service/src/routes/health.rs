//! `/healthcheck`: for load balancers, as oslo.middleware answers it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::app::App;
use crate::openapi::{Content, Operation};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::get("/healthcheck", "Tell whether the service works")
        .answers(200, Content::Json("any"))
        .open()];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/healthcheck", get(check))
}

async fn check(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let (status, reason) = match app.catalog.ping().await {
        Ok(()) => (StatusCode::OK, "OK"),
        Err(error) => {
            tracing::warn!(%error, "the catalog does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the catalog does not answer")
        }
    };
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    match accept {
        Some(kinds) if kinds.contains("application/json") => {
            (status, Json(json!({ "detailed": false, "reasons": [reason] }))).into_response()
        }
        _ => (status, reason).into_response(),
    }
}
