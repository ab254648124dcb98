//! `/v2/info/usage`: what the caller's project uses of what Keystone limits.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::Result;
use crate::openapi::{Content, Operation};
use crate::quota;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::get("/v2/info/usage", "Show what the project uses of its limits")
        .answers(200, Content::Json("object"))];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/info/usage", get(usage))
}

async fn usage(State(app): State<Arc<App>>, caller: Authenticated) -> Result<Json<Value>> {
    let shares = quota::shares(&app, caller.project_id.as_deref()).await?;
    Ok(Json(json!({ "usage": shares })))
}
