//! `/v2/metadefs/resource_types` and `/v2/metadefs/namespaces/{namespace}/resource_types`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use catalog::metadefs::{Fault, Kind};
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use serde_json::{Map, Value, json};

use super::{enforce, going, permitted, target};
use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::metadefs::{request, view};
use crate::notices::metadefs as notices;
use crate::openapi::{Content, Operation};
use crate::schemas;

const READ_ONLY: &[&str] = &["created_at", "updated_at"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/metadefs/resource_types", "List resource types")
        .answers(200, Content::Json("object")),
    Operation::get(
        "/v2/metadefs/namespaces/{namespace}/resource_types",
        "List the resource types of a namespace",
    )
    .answers(200, Content::Json("object")),
    Operation::post(
        "/v2/metadefs/namespaces/{namespace}/resource_types",
        "Associate a resource type with a namespace",
    )
    .takes(Content::Json("object"))
    .answers(201, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/resource_types/{name}",
        "End the association of a resource type",
    ),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/resource_types", get(list))
        .route("/namespaces/{namespace}/resource_types", get(associations).post(associate))
        .route("/namespaces/{namespace}/resource_types/{name}", delete(dissociate))
}

async fn list(State(app): State<Arc<App>>, caller: Authenticated) -> Result<Json<Value>> {
    enforce(&app, &caller, Action::ListMetadefResourceTypes, None)?;
    let types = app.metadefs.resource_types().await?;
    let shown: Vec<_> = types.iter().map(view::resource_type).collect();
    Ok(Json(json!({ "resource_types": shown })))
}

async fn associations(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    let namespace = permitted(&app, &caller, &name, Action::ListMetadefResourceTypes).await?;
    let each = app.policy.check(Action::GetMetadefResourceType, &caller, &target(&namespace));
    let associations = match each {
        Ok(()) => app.metadefs.associations(&name).await?,
        Err(_) => Vec::new(),
    };
    let shown: Vec<_> = associations.iter().map(view::association).collect();
    Ok(Json(json!({ "resource_type_associations": shown })))
}

async fn associate(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Map<String, Value>>)> {
    let schema = schemas::metadefs::resource_type();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let association = request::association(&sent)?;
    permitted(&app, &caller, &namespace, Action::AddMetadefResourceTypeAssociation).await?;
    app.metadefs.associate(&namespace, &association).await?;
    notices::created(&app.notifier, &namespace, &association);
    Ok((StatusCode::CREATED, Json(view::association(&association))))
}

async fn dissociate(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    permitted(&app, &caller, &namespace, Action::RemoveMetadefResourceTypeAssociation).await?;
    let known = going(&app, app.metadefs.associations(&namespace)).await.unwrap_or_default();
    match app.metadefs.remove(&namespace, Kind::Association, &name).await {
        Err(catalog::Error::Metadef(Fault::NotFound { .. } | Fault::ResourceTypeNotFound(_))) => {
            let message = format!("Failed to find resource type {name} to delete");
            Err(ApiError::not_found(message))
        }
        done => {
            done?;
            let gone = known.iter().filter(|association| association.resource_type == name);
            gone.for_each(|gone| notices::deleted(&app.notifier, &namespace, gone));
            Ok(StatusCode::NO_CONTENT)
        }
    }
}
