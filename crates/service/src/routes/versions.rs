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

/// What a service needs to have a minor version.
enum Needs {
    Nothing,
    /// Stores that clients know by name.
    NamedStores,
    /// An image cache.
    Cache,
    /// None.
    NoCache,
}

/// The minor versions, in Glance's order. Source: `glance/api/versions.py`.
const VERSIONS: &[(&str, Needs)] = &[
    ("2.18", Needs::Cache),
    ("2.17", Needs::Cache),
    ("2.16", Needs::Cache),
    ("2.15", Needs::Nothing),
    ("2.14", Needs::Cache),
    ("2.13", Needs::NamedStores),
    ("2.12", Needs::NamedStores),
    ("2.11", Needs::NamedStores),
    ("2.10", Needs::NamedStores),
    ("2.9", Needs::Nothing),
    ("2.8", Needs::NamedStores),
    ("2.17", Needs::NoCache),
    ("2.7", Needs::Nothing),
    ("2.6", Needs::Nothing),
    ("2.5", Needs::Nothing),
    ("2.4", Needs::Nothing),
    ("2.3", Needs::Nothing),
    ("2.2", Needs::Nothing),
    ("2.1", Needs::Nothing),
    ("2.0", Needs::Nothing),
];

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
    let offered = |needs: &Needs| match needs {
        Needs::Nothing => true,
        Needs::NamedStores => app.stores.are_named(),
        Needs::Cache => app.cache.is_some(),
        Needs::NoCache => app.cache.is_none(),
    };
    let current = if app.cache.is_some() { "2.18" } else { "2.17" };
    let ids = VERSIONS.iter().filter(|(_, needs)| offered(needs)).map(|(id, _)| *id);
    let versions: Vec<_> = ids.map(|id| version(&url, id, id == current)).collect();
    Json(json!({ "versions": versions }))
}

fn version(url: &str, id: &str, is_current: bool) -> Value {
    json!({
        "id": format!("v{id}"),
        "status": if is_current { "CURRENT" } else { "SUPPORTED" },
        "links": [{ "rel": "self", "href": format!("{url}/v2/") }],
    })
}
