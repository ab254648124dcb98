//! `/healthcheck`: for load balancers, as oslo.middleware answers it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::app::App;
use crate::openapi::{Content, Operation};

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::get("/healthcheck", "Tell whether the service works")
        .answers(200, Content::Json("any"))
        .open()];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/healthcheck", get(check))
}

async fn check(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.catalog.ping().await {
        Ok(()) => (StatusCode::OK, "OK"),
        Err(error) => {
            tracing::warn!(%error, "the catalog does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the catalog does not answer")
        }
    }
}
