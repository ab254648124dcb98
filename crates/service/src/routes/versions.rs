//! `/` and `/versions`: the versions of the Image API.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::app::App;

/// Minor versions without the features that are switched on by configuration: several stores
/// (2.8 and up), the cache (2.14, 2.16) and locations (2.17). Newest first.
const VERSIONS: &[&str] = &["2.9", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0"];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(choices)).route("/versions", get(list))
}

async fn choices(headers: HeaderMap) -> (StatusCode, Json<Value>) {
    (StatusCode::MULTIPLE_CHOICES, document(&headers))
}

async fn list(headers: HeaderMap) -> Json<Value> {
    document(&headers)
}

fn document(headers: &HeaderMap) -> Json<Value> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let versions: Vec<_> =
        VERSIONS.iter().enumerate().map(|(i, id)| version(host, i, id)).collect();
    Json(json!({ "versions": versions }))
}

fn version(host: &str, place: usize, id: &str) -> Value {
    json!({
        "id": format!("v{id}"),
        "status": if place == 0 { "CURRENT" } else { "SUPPORTED" },
        "links": [{ "rel": "self", "href": format!("http://{host}/v2/") }],
    })
}
