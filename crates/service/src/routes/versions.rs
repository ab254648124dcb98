//! `/` and `/versions`: the versions of the Image API. Every path of no version, such as the old
//! `/v1`, is answered as `/` is: clients find out that way what there is.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};

/// Minor versions without the features that are switched on by configuration: several stores
/// (2.8 and up), the cache (2.14, 2.16) and locations (2.17). Newest first.
const VERSIONS: &[&str] = &["2.9", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0"];

/// The minor versions of a service with an image cache (2.14, 2.16), and of what came with them.
const WITH_CACHE: &[&str] = &["2.18", "2.17", "2.16", "2.15", "2.14"];
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/", "Choose a version").answers(300, Content::Json("versions")).open(),
    Operation::get("/versions", "List the versions").answers(200, Content::Json("versions")).open(),
    Operation::get("/versions/", "List the versions")
        .answers(200, Content::Json("versions"))
        .open(),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(choices))
        .route("/versions", get(list))
        .route("/versions/", get(list))
}

/// The answer to a path that no other route takes. Below `/v2`, who has no token learns nothing.
pub(super) async fn other(
    app: State<Arc<App>>,
    caller: Result<Authenticated>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path();
    if let (true, Err(error)) = (path == "/v2" || path.starts_with("/v2/"), caller) {
        return error.into_response();
    }
    match path {
        "/v2" => {
            let place = [(header::LOCATION, format!("{}/v2/", app.url(&headers)))];
            (StatusCode::FOUND, place).into_response()
        }
        path if path.starts_with("/v2/") => {
            ApiError::not_found("The resource could not be found.").into_response()
        }
        path if path.starts_with("/versions/") => list(app, headers).await.into_response(),
        _ => choices(app, headers).await.into_response(),
    }
}

async fn choices(State(app): State<Arc<App>>, headers: HeaderMap) -> (StatusCode, Json<Value>) {
    (StatusCode::MULTIPLE_CHOICES, document(&app, &headers))
}

async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Value> {
    document(&app, &headers)
}

fn document(app: &App, headers: &HeaderMap) -> Json<Value> {
    let url = app.url(headers);
    let with_cache = if app.cache.is_some() { WITH_CACHE } else { &[] };
    let ids = with_cache.iter().chain(VERSIONS).enumerate();
    let versions: Vec<_> = ids.map(|(i, id)| version(&url, i, id)).collect();
    Json(json!({ "versions": versions }))
}

fn version(url: &str, place: usize, id: &str) -> Value {
    json!({
        "id": format!("v{id}"),
        "status": if place == 0 { "CURRENT" } else { "SUPPORTED" },
        "links": [{ "rel": "self", "href": format!("{url}/v2/") }],
    })
}
