//! `/v2/metadefs/namespaces/{namespace}/tags`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use catalog::metadefs::{Kind, Others, Tag, Times};
use http::{HeaderMap, StatusCode};
use identity::policy::Action;
use serde_json::{Map, Value, json};

use super::{enforce, going, permitted, seen};
use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::metadefs::{listing as query, request, view};
use crate::notices::metadefs as notices;
use crate::openapi::{Content, Operation};
use crate::{json_schema, listing, schemas};

const READ_ONLY: &[&str] = &["created_at", "updated_at"];

/// Whether tags that are there stay when others are added.
const APPEND: &str = "x-openstack-append";

/// What means yes in a header, as oslo.utils' `bool_from_string` reads it.
const TRUE: &[&str] = &["1", "t", "true", "on", "y", "yes"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/metadefs/namespaces/{namespace}/tags", "List the tags of a namespace")
        .query(&[
            ("limit", "integer"),
            ("marker", "string"),
            ("sort_key", "string"),
            ("sort_dir", "string"),
        ])
        .answers(200, Content::Json("object"))
        .ignoring_bodies(),
    Operation::post(
        "/v2/metadefs/namespaces/{namespace}/tags",
        "Set or add the tags of a namespace",
    )
    .headers(&[("X-Openstack-Append", "string")])
    .takes(Content::Json("object"))
    .answers(201, Content::Json("object")),
    Operation::delete("/v2/metadefs/namespaces/{namespace}/tags", "Delete the tags of a namespace"),
    Operation::get("/v2/metadefs/namespaces/{namespace}/tags/{name}", "Show a tag of a namespace")
        .answers(200, Content::Json("object")),
    Operation::post("/v2/metadefs/namespaces/{namespace}/tags/{name}", "Add a tag to a namespace")
        .answers(201, Content::Json("object")),
    Operation::put(
        "/v2/metadefs/namespaces/{namespace}/tags/{name}",
        "Rename a tag of a namespace",
    )
    .takes(Content::Json("object"))
    .answers(200, Content::Json("object")),
    Operation::delete(
        "/v2/metadefs/namespaces/{namespace}/tags/{name}",
        "Delete a tag of a namespace",
    ),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/namespaces/{namespace}/tags", get(list).post(add).delete(clear)).route(
        "/namespaces/{namespace}/tags/{name}",
        get(show).post(create).put(change).delete(delete),
    )
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let query = query::tags(&listing::parameters(query.as_deref()))?;
    permitted(&app, &caller, &namespace, Action::GetMetadefTags).await?;
    let tags = app.metadefs.tags(&namespace, &query).await?;
    Ok(Json(json!({ "tags": view::tag_names(&tags) })))
}

/// Many at once, in place of those that are there unless the request says that they stay.
async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>)> {
    let schema = schemas::metadefs::new_tags();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let tags = sent.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tag = |sent| Ok(Tag { name: request::tag_name(sent)?, times: Times::now() });
    let tags = tags.filter_map(Value::as_object).map(tag).collect::<Result<Vec<_>>>()?;
    permitted(&app, &caller, &namespace, Action::AddMetadefTags).await?;
    app.metadefs.add_tags(&namespace, &tags, others(&headers)).await?;
    tags.iter().for_each(|tag| notices::created(&app.notifier, &namespace, tag));
    Ok((StatusCode::CREATED, Json(json!({ "tags": view::tag_names(&tags) }))))
}

fn others(headers: &HeaderMap) -> Others {
    let said = headers.get(APPEND).and_then(|said| said.to_str().ok()).unwrap_or_default();
    match TRUE.contains(&said.trim().to_ascii_lowercase().as_str()) {
        true => Others::Keep,
        false => Others::Remove,
    }
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Map<String, Value>>)> {
    let seen = seen(&app, &caller, &namespace).await?;
    json_schema::check(schemas::metadefs::tag(), &json!({ "name": name }))
        .map_err(ApiError::bad_request)?;
    enforce(&app, &caller, Action::AddMetadefTag, Some(&seen))?;
    let tag = Tag { name, times: Times::now() };
    app.metadefs.add_tags(&namespace, std::slice::from_ref(&tag), Others::Keep).await?;
    notices::created(&app.notifier, &namespace, &tag);
    Ok((StatusCode::CREATED, Json(view::tag(&tag))))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Map<String, Value>>> {
    permitted(&app, &caller, &namespace, Action::GetMetadefTag).await?;
    Ok(Json(view::tag(&app.metadefs.tag(&namespace, &name).await?)))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>> {
    let schema = schemas::metadefs::tag();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let to = request::tag_name(&sent)?;
    permitted(&app, &caller, &namespace, Action::ModifyMetadefTag).await?;
    let changed = app.metadefs.change_tag(&namespace, &name, &to).await?;
    notices::changed(&app.notifier, &namespace, &name, &changed);
    Ok(Json(view::tag(&changed)))
}

async fn delete(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    permitted(&app, &caller, &namespace, Action::DeleteMetadefTag).await?;
    let gone = going(&app, app.metadefs.tag(&namespace, &name)).await;
    app.metadefs.remove(&namespace, Kind::Tag, &name).await?;
    gone.inspect(|gone| notices::deleted(&app.notifier, &namespace, gone));
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(namespace): Path<String>,
) -> Result<StatusCode> {
    let seen = permitted(&app, &caller, &namespace, Action::DeleteMetadefNamespace).await?;
    enforce(&app, &caller, Action::DeleteMetadefTags, Some(&seen))?;
    app.metadefs.clear(&namespace, Kind::Tag).await?;
    app.notifier.info("metadef_namespace.delete_tags", || notices::namespace(&seen));
    Ok(StatusCode::NO_CONTENT)
}
