//! `/v2/metadefs/namespaces`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use catalog::metadefs::{Contents, Namespace};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use identity::Caller;
use identity::policy::Action;
use serde_json::{Map, Value};

use super::{enforce, permitted, target};
use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::metadefs::{listing as query, request, view};
use crate::notices::metadefs as notices;
use crate::openapi::{Content, Operation};
use crate::{listing, schemas};

const READ_ONLY: &[&str] = &["self", "schema", "created_at", "updated_at"];

/// Characters of a path that need no escape in a URL, besides letters and digits (RFC 3986,
/// "unreserved" and those that Glance leaves as they are).
const PLAIN: &str = "-._~:/$&()*+,;=@";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/metadefs/namespaces", "List the namespaces of metadata definitions")
        .query(&[
            ("limit", "integer"),
            ("marker", "string"),
            ("sort_key", "string"),
            ("sort_dir", "string"),
            ("visibility", "string"),
            ("resource_types", "string"),
        ])
        .answers(200, Content::Json("object"))
        .ignoring_bodies(),
    Operation::post("/v2/metadefs/namespaces", "Create a namespace")
        .takes(Content::Json("object"))
        .answers(201, Content::Json("object")),
    Operation::get("/v2/metadefs/namespaces/{namespace}", "Show a namespace")
        .query(&[("resource_type", "string")])
        .answers(200, Content::Json("object")),
    Operation::put("/v2/metadefs/namespaces/{namespace}", "Change a namespace")
        .takes(Content::Json("object"))
        .answers(200, Content::Json("object")),
    Operation::delete("/v2/metadefs/namespaces/{namespace}", "Delete a namespace"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/namespaces", get(list).post(create))
        .route("/namespaces/{namespace}", get(show).put(change).delete(delete))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>> {
    let parameters = listing::parameters(query.as_deref());
    let query = query::namespaces(&parameters, &app.limits)?;
    enforce(&app, &caller, Action::GetMetadefNamespaces, None)?;
    enforce(&app, &caller, Action::ListMetadefResourceTypes, None)?;
    let mut found = app.metadefs.namespaces(&app::viewer(&caller), &query).await?;
    found.retain(|(namespace, _)| {
        app.policy.check(Action::GetMetadefNamespace, &caller, &target(namespace)).is_ok()
    });
    let full = found.len() == query.limit as usize;
    let next = found.last().filter(|_| full).map(|(last, _)| last.name.clone());
    let shown = found.iter().map(|(namespace, associations)| {
        let contents = Contents { associations: associations.clone(), ..Contents::default() };
        view::detailed_namespace(namespace, &contents, None)
    });
    Ok(Json(view::page(shown.collect(), next.as_deref(), &parameters)))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let schema = schemas::metadefs::namespace();
    let sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    let new = request::new_namespace(&sent, caller.project_id.as_deref())?;
    check_creation(&app, &caller, &new.contents)?;
    app.metadefs.create_namespace(&new.namespace, &new.contents).await?;
    notices::namespace_created(&app.notifier, &new.namespace, &new.contents);
    let shown = view::created_namespace(&new.namespace, &new.contents, &sent);
    let location = [(header::LOCATION, location(&app.url(&headers), &new.namespace)?)];
    Ok((StatusCode::CREATED, location, Json(shown)).into_response())
}

/// Each kind of thing that comes with a namespace has an action of its own.
fn check_creation(app: &App, caller: &Caller, contents: &Contents) -> Result<()> {
    let actions = [
        (true, Action::AddMetadefNamespace),
        (!contents.associations.is_empty(), Action::AddMetadefResourceTypeAssociation),
        (!contents.objects.is_empty(), Action::AddMetadefObject),
        (!contents.properties.is_empty(), Action::AddMetadefProperty),
        (!contents.tags.is_empty(), Action::AddMetadefTag),
    ];
    let mut wanted = actions.into_iter().filter(|(wanted, _)| *wanted);
    wanted.try_for_each(|(_, action)| enforce(app, caller, action, None))
}

fn location(base: &str, namespace: &Namespace) -> Result<HeaderValue> {
    let mut url = format!("{base}/v2/metadefs/namespaces/");
    for byte in namespace.name.bytes() {
        let plain = byte.is_ascii_alphanumeric() || PLAIN.contains(char::from(byte));
        match plain {
            true => url.push(char::from(byte)),
            false => url.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&url).map_err(|error| ApiError::internal(&error))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Map<String, Value>>> {
    let parameters = listing::parameters(query.as_deref());
    query::visibility(&parameters)?;
    let namespace = app.metadefs.namespace(&app::viewer(&caller), &name).await?;
    for action in [
        Action::GetMetadefNamespace,
        Action::ListMetadefResourceTypes,
        Action::GetMetadefObjects,
        Action::GetMetadefProperties,
        Action::GetMetadefTags,
    ] {
        enforce(&app, &caller, action, Some(&namespace))?;
    }
    let contents = app.metadefs.contents(&name).await?;
    let resource_type = parameters.iter().find(|(name, _)| name == "resource_type");
    let resource_type = resource_type.map(|(_, value)| value.as_str());
    Ok(Json(view::detailed_namespace(&namespace, &contents, resource_type)))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>> {
    let schema = schemas::metadefs::namespace();
    let mut sent = request::fields(&headers, body, schema, READ_ONLY).await?;
    // An empty owner is none here, unlike at creation: so in Glance.
    sent.retain(|field, value| field != "owner" || value != "");
    let to = request::namespace(&sent, caller.project_id.as_deref())?;
    permitted(&app, &caller, &name, Action::ModifyMetadefNamespace).await?;
    let changed = app.metadefs.change_namespace(&name, &to).await?;
    app.notifier.info("metadef_namespace.update", || notices::renamed(&changed, &name));
    Ok(Json(view::namespace(&changed)))
}

async fn delete(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    let gone = permitted(&app, &caller, &name, Action::DeleteMetadefNamespace).await?;
    app.metadefs.delete_namespace(&name).await?;
    app.notifier.info("metadef_namespace.delete", || notices::namespace_deleted(&gone));
    Ok(StatusCode::NO_CONTENT)
}
