//! `/v2/info/…`: what this service offers.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use futures::future::join_all;
use http::HeaderMap;
use identity::policy::{Action, Target};
use serde_json::{Map, Value, json};
use store::Enabled;

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/info/import", "List the ways to import")
        .answers(200, Content::Json("object")),
    Operation::get("/v2/info/stores", "List the stores").answers(200, Content::Json("object")),
    Operation::get("/v2/info/stores/detail", "List the stores with their settings")
        .answers(200, Content::Json("object")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/info/import", get(import))
        .route("/info/stores", get(stores))
        .route("/info/stores/detail", get(details))
}

async fn import(State(app): State<Arc<App>>, _caller: Authenticated) -> Json<Value> {
    let methods = &app.imports.settings.methods;
    let description = "Import methods available.";
    Json(json!({
        "import-methods": { "description": description, "type": "array", "value": methods },
    }))
}

async fn stores(State(app): State<Arc<App>>, _caller: Authenticated) -> Result<Json<Value>> {
    let default = app.stores.default_name();
    let stores: Vec<_> = named(&app)?.iter().map(|store| summary(store, default)).collect();
    Ok(Json(json!({ "stores": stores })))
}

async fn details(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    headers: HeaderMap,
) -> Result<Json<Value>> {
    let app = app.used_by(&caller, &headers);
    let stores = named(&app)?;
    let project = Target::owned_by(caller.project_id.as_deref());
    app.policy.check(Action::StoresInfoDetail, &caller, &project)?;
    let default = app.stores.default_name();
    let detail = async |enabled: &Enabled| {
        let mut fields = summary(enabled, default);
        fields.insert("type".to_owned(), json!(enabled.store.kind()));
        fields.insert("properties".to_owned(), json!(enabled.store.properties()));
        fields.insert("weight".to_owned(), json!(enabled.weight));
        fields.insert("health".to_owned(), app.health.of(&enabled.name, &enabled.store).await);
        fields
    };
    let stores = join_all(stores.iter().map(detail)).await;
    Ok(Json(json!({ "stores": stores })))
}

fn named(app: &App) -> Result<&[Enabled]> {
    match app.stores.are_named() {
        true => Ok(app.stores.enabled()),
        false => Err(ApiError::not_found("Multi backend is not supported at this site.")),
    }
}

/// What everybody is told of a store. Glance says `"true"` where it is so, and nothing else.
fn summary(enabled: &Enabled, default: &str) -> Map<String, Value> {
    let is_default = enabled.name == default;
    let is_read_only = !enabled.store.abilities().writable;
    let description = enabled.description.as_ref().map(|text| ("description", text.as_str()));
    let fields = [
        Some(("id", enabled.name.as_str())),
        description,
        is_default.then_some(("default", "true")),
        is_read_only.then_some(("read-only", "true")),
    ];
    fields.into_iter().flatten().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
