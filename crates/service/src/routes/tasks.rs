//! `/v2/tasks`, and the tasks of one image.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use identity::Caller;
use identity::policy::{Action, Target};
use image::{Task, TaskStatus, TaskType};
use serde_json::{Value, json};

use crate::app::App;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::keys::Token;
use crate::openapi::{Content, Operation};
use crate::rendering::RequestId;
use crate::{body, imports, listing, task_list, task_view};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/tasks", "List tasks")
        .query(&[
            ("limit", "integer"),
            ("marker", "string"),
            ("type", "string"),
            ("status", "string"),
            ("sort_key", "string"),
            ("sort_dir", "string"),
        ])
        .answers(200, Content::Json("object"))
        .ignoring_bodies(),
    Operation::post("/v2/tasks", "Start a task")
        .takes(Content::Json("object"))
        .answers(201, Content::Json("object")),
    Operation::get("/v2/tasks/{task_id}", "Show a task").answers(200, Content::Json("object")),
    Operation::delete("/v2/tasks/{task_id}", "Cancel a task"),
    Operation::get("/v2/images/{image_id}/tasks", "List the tasks of an image")
        .answers(200, Content::Json("object")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/tasks", get(list).post(add))
        .route("/tasks/{task_id}", get(show).delete(cancel))
        .route("/images/{image_id}/tasks", get(of_image))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    check_access(&app, &caller)?;
    let parameters = listing::parameters(query.as_deref());
    let query = task_list::parse(&parameters, &caller, &app.limits)?;
    let tasks = match app.imports.tasks.list_tasks(&query).await {
        Err(catalog::Error::TaskNotFound(id)) => {
            return Err(ApiError::bad_request(format!(
                "Task with the given id {id} was not found"
            )));
        }
        tasks => tasks?,
    };
    Ok(Json(task_list::page(&tasks, query.limit, &parameters)).into_response())
}

async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Extension(RequestId(request)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    check_access(&app, &caller)?;
    let fields = body::json(&headers, body).await?;
    let (kind, input) = parse(fields)?;
    let token = Token::of(&headers);
    let task = imports::start_legacy(&app, &caller, kind, input, Some(request), token).await?;
    let location = HeaderValue::try_from(format!("{}/v2/tasks/{}", app.url(&headers), task.id));
    let location = location.map_err(|error| ApiError::internal(&error))?;
    let shown = Json(task_view::whole(&task));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], shown).into_response())
}

/// In the words of Glance's `_validate_create_body` and of its schema.
fn parse(mut fields: Value) -> Result<(TaskType, Value)> {
    let mut take = |name: &str| {
        let found = fields.as_object_mut().and_then(|fields| fields.remove(name));
        found.ok_or_else(|| ApiError::bad_request(format!("Task '{name}' is required")))
    };
    let (kind, input) = (take("type")?, take("input")?);
    let mismatch = |why: String| {
        ApiError::bad_request(format!("Provided object does not match schema 'task': {why}"))
    };
    let known = kind.as_str().and_then(|name| name.parse().ok());
    let kind = known.ok_or_else(|| {
        let known: Vec<_> = TaskType::ALL.iter().map(|kind| format!("'{kind}'")).collect();
        mismatch(format!("{kind} is not one of [{}]", known.join(", ")))
    })?;
    match input {
        Value::Null => Ok((kind, json!({}))),
        Value::Object(_) => Ok((kind, input)),
        other => Err(mismatch(format!("{other} is not of type 'null', 'object'"))),
    }
    .and_then(|parsed| match fields.as_object().and_then(|fields| fields.keys().next()) {
        None => Ok(parsed),
        Some(name) => Err(mismatch(format!(
            "Additional properties are not allowed ('{name}' was unexpected)"
        ))),
    })
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    check_access(&app, &caller)?;
    Ok(Json(task_view::whole(&find(&app, &caller, &id).await?)))
}

/// Ends a task that has not ended. Glance has no such thing, and answers 405 always; so does this
/// where there is nothing to end.
async fn cancel(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    check_access(&app, &caller)?;
    let over = || {
        let message = "This operation is currently not permitted on Glance Tasks. They are auto \
                       deleted after reaching the time based on their expires_at property.";
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
            .bare()
            .with(header::ALLOW, HeaderValue::from_static("GET"))
    };
    let task = find(&app, &caller, &id).await.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => over(),
        _ => error,
    })?;
    let status: TaskStatus = app.imports.tasks.cancel_task(task.id).await?;
    if status.is_final() {
        return Err(over());
    }
    app.imports.nudge(task.id);
    Ok(StatusCode::NO_CONTENT)
}

async fn of_image(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let missing = |error: ApiError| match error.status {
        StatusCode::NOT_FOUND => ApiError::not_found("The resource could not be found."),
        _ => error,
    };
    let image = app.visible(&caller, &id).await.map_err(missing)?;
    let mut tasks = app.imports.tasks.image_tasks(image.id).await?;
    tasks.retain(|task| is_visible(&caller, task));
    let tasks: Vec<_> = tasks.iter().map(task_view::stored).collect();
    Ok(Json(json!({ "tasks": tasks })))
}

fn check_access(app: &App, caller: &Caller) -> Result<()> {
    let target = Target::owned_by(caller.project_id.as_deref());
    Ok(app.policy.check(Action::TasksApiAccess, caller, &target)?)
}

/// A task that the caller may see.
async fn find(app: &App, caller: &Caller, id: &str) -> Result<Task> {
    let missing = || ApiError::not_found(format!("Could not find task {id}"));
    let task = match app.imports.tasks.task(id.parse().map_err(|_| missing())?).await {
        Err(catalog::Error::TaskNotFound(_)) => return Err(missing()),
        task => task?,
    };
    if is_visible(caller, &task) { Ok(task) } else { Err(missing()) }
}

fn is_visible(caller: &Caller, task: &Task) -> bool {
    caller.is_admin || caller.project_id.as_ref() == Some(&task.owner)
}
