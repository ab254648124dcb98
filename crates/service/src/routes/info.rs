//! `/v2/info/…`: what this service offers.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;
use crate::caller::Authenticated;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/info/import", get(import)).route("/info/stores", get(stores))
}

async fn import(_caller: Authenticated) -> Json<Value> {
    let methods: [&str; 0] = [];
    let description = "Import methods available.";
    Json(json!({
        "import-methods": { "description": description, "type": "array", "value": methods },
    }))
}

async fn stores(State(app): State<Arc<App>>, _caller: Authenticated) -> Json<Value> {
    let default = app.stores.default_name();
    let stores: Vec<_> = app.stores.iter().map(|(name, _)| store(name, name == default)).collect();
    Json(json!({ "stores": stores }))
}

fn store(name: &str, default: bool) -> Value {
    match default {
        true => json!({ "id": name, "default": "true" }),
        false => json!({ "id": name }),
    }
}
