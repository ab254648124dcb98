//! `/v2/metadefs/namespaces/{namespace}/properties`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use catalog::metadefs::{Fault, Kind};
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use serde_json::{Map, Value, json};

use super::{enforce, going, permitted};
use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::metadefs::{request, view};
use crate::notices::metadefs as notices;
use crate::openapi::{Content, Operation};
use crate::{listing, schemas};

const READ_ONLY: &[&str] = &["created_at", "updated_at"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get(
        "/v2/metadefs/namespaces/{namespace}/properties",
        "List the properties of a namespace",
    )
    .answers(200, Content::Json("object")),
    Operation::post(
        "/v2/metadefs/namespaces/{namespace}/properties",
        "Add a property to a namespace",
    )
    .takes(Content::Json("object"))
    .answers(201, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/properties",
        "Delete the properties of a namespace",
    ),
    Operation::get(
        "/v2/metadefs/namespaces/{namespace}/properties/{name}",
        "Show a property of a namespace",
    )
    .answers(200, Content::Json("object"))
    .ignoring_bodies(),
    Operation::put(
        "/v2/metadefs/namespaces/{namespace}/properties/{name}",
        "Change a property of a namespace",
    )
    .takes(Content::Json("object"))
    .answers(200, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/properties/{name}",
        "Delete a property of a namespace",
    ),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/namespaces/{namespace}/properties", get(list).post(create).delete(clear))
        .route("/namespaces/{namespace}/properties/{name}", get(show).put(change).delete(delete))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
) -> Result<Json<Value>> {
    permitted(&app, &caller, &namespace, Action::GetMetadefProperties).await?;
    let properties = app.metadefs.properties(&namespace).await?;
    Ok(Json(json!({ "properties": view::properties(&properties, "") })))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Map<String, Value>>)> {
    let schema = schemas::metadefs::property();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let property = request::property(&sent)?;
    permitted(&app, &caller, &namespace, Action::AddMetadefProperty).await?;
    app.metadefs.add_property(&namespace, &property).await?;
    notices::created(&app.notifier, &namespace, &property);
    Ok((StatusCode::CREATED, Json(view::property(&property))))
}

/// With `resource_type`, the name is the one that the property has on resources of that type.
async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Map<String, Value>>> {
    let seen = permitted(&app, &caller, &namespace, Action::GetMetadefProperty).await?;
    let parameters = listing::parameters(query.as_deref());
    let resource_type = parameters.iter().find(|(name, _)| name == "resource_type");
    let name = match resource_type.filter(|(_, resource_type)| !resource_type.is_empty()) {
        None => name,
        Some((_, resource_type)) => {
            enforce(&app, &caller, Action::GetMetadefResourceType, Some(&seen))?;
            without_prefix(&app, &namespace, &name, resource_type).await?
        }
    };
    let property = app.metadefs.property(&namespace, &name).await?;
    Ok(Json(view::property(&property)))
}

async fn without_prefix(
    app: &App,
    namespace: &str,
    name: &str,
    resource_type: &str,
) -> Result<String> {
    let associations = app.metadefs.associations(namespace).await?;
    let association = associations.iter().find(|a| a.resource_type == resource_type);
    let prefix = match association {
        Some(association) => association.prefix.as_deref(),
        None => return Err(not_associated(app, namespace, resource_type).await?),
    };
    let stripped = prefix.filter(|prefix| !prefix.is_empty());
    let stripped = stripped.and_then(|prefix| name.strip_prefix(prefix));
    stripped.map(str::to_owned).ok_or_else(|| {
        ApiError::not_found(format!(
            "Property {name} does not start with the expected resource type association prefix of \
             '{}'.",
            prefix.unwrap_or("None")
        ))
    })
}

/// Says whether the type itself is unknown.
async fn not_associated(app: &App, namespace: &str, resource_type: &str) -> Result<ApiError> {
    let known = app.metadefs.resource_types().await?;
    let name = resource_type.to_owned();
    let fault = match known.iter().any(|known| known.name == name) {
        true => Fault::NotFound { kind: Kind::Association, namespace: namespace.to_owned(), name },
        false => Fault::ResourceTypeNotFound(name),
    };
    Ok(ApiError::from(&fault))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>> {
    let schema = schemas::metadefs::property();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let property = request::property(&sent)?;
    permitted(&app, &caller, &namespace, Action::ModifyMetadefProperty).await?;
    app.metadefs.change_property(&namespace, &name, &property).await?;
    notices::changed(&app.notifier, &namespace, &name, &property);
    Ok(Json(view::property(&property)))
}

async fn delete(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    permitted(&app, &caller, &namespace, Action::RemoveMetadefProperty).await?;
    let gone = going(&app, app.metadefs.property(&namespace, &name)).await;
    app.metadefs.remove(&namespace, Kind::Property, &name).await?;
    gone.inspect(|gone| notices::deleted(&app.notifier, &namespace, gone));
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
) -> Result<StatusCode> {
    let seen = permitted(&app, &caller, &namespace, Action::DeleteMetadefNamespace).await?;
    app.metadefs.clear(&namespace, Kind::Property).await?;
    app.notifier.info("metadef_namespace.delete_properties", || notices::namespace(&seen));
    Ok(StatusCode::NO_CONTENT)
}
