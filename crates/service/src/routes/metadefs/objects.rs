//! `/v2/metadefs/namespaces/{namespace}/objects`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use catalog::metadefs::{Kind, Namespace};
use http::{HeaderMap, StatusCode};
use identity::Caller;
use identity::policy::Action;
use serde_json::{Map, Value, json};

use super::{enforce, going, permitted, target};
use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::metadefs::{listing as query, request, view};
use crate::notices::metadefs as notices;
use crate::openapi::{Content, Operation};
use crate::{json_schema, listing, schemas};

const READ_ONLY: &[&str] = &["self", "schema", "created_at", "updated_at"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get(
        "/v2/metadefs/namespaces/{namespace}/objects",
        "List the objects of a namespace",
    )
    .answers(200, Content::Json("object"))
    .ignoring_bodies(),
    Operation::post("/v2/metadefs/namespaces/{namespace}/objects", "Add an object to a namespace")
        .takes(Content::Json("object"))
        .answers(201, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/objects",
        "Delete the objects of a namespace",
    ),
    Operation::get(
        "/v2/metadefs/namespaces/{namespace}/objects/{name}",
        "Show an object of a namespace",
    )
    .answers(200, Content::Json("object")),
    Operation::put(
        "/v2/metadefs/namespaces/{namespace}/objects/{name}",
        "Change an object of a namespace",
    )
    .takes(Content::Json("object"))
    .answers(200, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/objects/{name}",
        "Delete an object of a namespace",
    ),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/namespaces/{namespace}/objects", get(list).post(create).delete(clear))
        .route("/namespaces/{namespace}/objects/{name}", get(show).put(change).delete(delete))
}

/// Here alone, Glance says of a missing namespace what it says of it at `GET …/{namespace}`.
async fn within(app: &App, caller: &Caller, name: &str, action: Action) -> Result<Namespace> {
    let namespace = app.metadefs.namespace(&app::viewer(caller), name).await?;
    enforce(app, caller, action, Some(&namespace))?;
    Ok(namespace)
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    query::objects(&listing::parameters(query.as_deref()))?;
    let namespace = within(&app, &caller, &name, Action::GetMetadefObjects).await?;
    let each = app.policy.check(Action::GetMetadefObject, &caller, &target(&namespace));
    let objects = match each {
        Ok(()) => app.metadefs.objects(&name).await?,
        Err(_) => Vec::new(),
    };
    let shown: Vec<_> = objects.iter().map(|o| view::object(&name, o)).collect();
    // Without a slash at its beginning, as Glance says it.
    Ok(Json(json!({ "objects": shown, "schema": "v2/schemas/metadefs/objects" })))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Map<String, Value>>)> {
    let sent = request::fields(&headers, body, schemas::metadefs::object(), READ_ONLY).await?;
    let properties = sent.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (_, property) in properties {
        json_schema::check(schemas::metadefs::nameless_property(), property)
            .map_err(ApiError::bad_request)?;
    }
    let object = request::object(&sent)?;
    within(&app, &caller, &namespace, Action::AddMetadefObject).await?;
    app.metadefs.add_object(&namespace, &object).await?;
    notices::created(&app.notifier, &namespace, &object);
    Ok((StatusCode::CREATED, Json(view::created_object(&namespace, &object, &sent))))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Map<String, Value>>> {
    within(&app, &caller, &namespace, Action::GetMetadefObject).await?;
    let object = app.metadefs.object(&namespace, &name).await?;
    Ok(Json(view::object(&namespace, &object)))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>> {
    let sent = request::fields(&headers, body, schemas::metadefs::object(), READ_ONLY).await?;
    let object = request::object(&sent)?;
    within(&app, &caller, &namespace, Action::ModifyMetadefObject).await?;
    let changed = app.metadefs.change_object(&namespace, &name, &object).await?;
    notices::changed(&app.notifier, &namespace, &name, &changed);
    Ok(Json(view::created_object(&namespace, &changed, &sent)))
}

async fn delete(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    within(&app, &caller, &namespace, Action::DeleteMetadefObject).await?;
    let gone = going(&app, app.metadefs.object(&namespace, &name)).await;
    app.metadefs.remove(&namespace, Kind::Object, &name).await?;
    gone.inspect(|gone| notices::deleted(&app.notifier, &namespace, gone));
    Ok(StatusCode::NO_CONTENT)
}

/// What deletes all of a namespace's objects is held for a deletion of the namespace: so in Glance.
async fn clear(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
) -> Result<StatusCode> {
    let seen = permitted(&app, &caller, &namespace, Action::DeleteMetadefNamespace).await?;
    app.metadefs.clear(&namespace, Kind::Object).await?;
    app.notifier.info("metadef_namespace.delete_objects", || notices::namespace(&seen));
    Ok(StatusCode::NO_CONTENT)
}
