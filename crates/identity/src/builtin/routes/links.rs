//! What answers refer to.

use axum::Json;
use axum::http::Uri;
use serde_json::{Value, json};

use crate::builtin::BuiltIn;

/// One thing with a link to itself: `{"id": …, "links": {"self": …}}`.
pub(super) fn linked(state: &BuiltIn, collection: &str, mut thing: Value) -> Value {
    let id = thing["id"].as_str().unwrap_or_default();
    let own = state.endpoints.identity_url(&format!("/v3/{collection}/{id}"));
    thing["links"] = json!({"self": own});
    thing
}

/// The answer that holds one thing: `{"project": {…}}`.
pub(super) fn item(state: &BuiltIn, key: &str, collection: &str, thing: Value) -> Json<Value> {
    Json(json!({key: linked(state, collection, thing)}))
}

/// The answer that lists things, each with a link to itself. `uri` is what was asked for.
pub(super) fn list(
    state: &BuiltIn,
    uri: &Uri,
    collection: &str,
    things: impl IntoIterator<Item = Value>,
) -> Json<Value> {
    let things = things.into_iter().map(|thing| linked(state, collection, thing)).collect();
    page(state, uri, collection, things)
}

/// The same for things that have links already.
pub(super) fn page(state: &BuiltIn, uri: &Uri, key: &str, things: Vec<Value>) -> Json<Value> {
    let own = state.endpoints.identity_url(&uri.to_string());
    Json(json!({key: things, "links": {"next": null, "self": own, "previous": null}}))
}
