//! `/v2/images/{image_id}/members`: the projects that an image is shared with.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use identity::Caller;
use identity::policy::Action;
use image::{Image, Member, MemberStatus, Visibility};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};
use crate::{body, notices, sharing, view};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/images/{image_id}/members", "List the members of an image")
        .answers(200, Content::Json("members")),
    Operation::post("/v2/images/{image_id}/members", "Share an image with a project")
        .takes(Content::Json("new_member"))
        .answers(200, Content::Json("member")),
    Operation::get("/v2/images/{image_id}/members/{member_id}", "Show a member of an image")
        .answers(200, Content::Json("member")),
    Operation::put("/v2/images/{image_id}/members/{member_id}", "Take or refuse a shared image")
        .takes(Content::Json("member_answer"))
        .answers(200, Content::Json("member")),
    Operation::delete("/v2/images/{image_id}/members/{member_id}", "End sharing with a project"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/images/{image_id}/members", get(list).post(add))
        .route("/images/{image_id}/members/{member_id}", get(show).put(answer).delete(remove))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>> {
    let image = shared(&app, &caller, &id, "list members").await?;
    let members = seen_members(&app, &caller, &image).await?;
    let members: Vec<_> = members.iter().map(view::member).collect();
    Ok(Json(json!({ "members": members, "schema": "/v2/schemas/members" })))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, project)): Path<(String, String)>,
) -> Result<Json<Value>> {
    // What has no members has not this one either.
    let image = shared(&app, &caller, &id, "show").await.map_err(|error| match error.status {
        StatusCode::FORBIDDEN => ApiError::not_found(ONLY_SHARED),
        _ => error,
    })?;
    let member = find(&app, &caller, &image, &project).await?;
    Ok(Json(view::member(&member)))
}

async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    let fields = body::json(&headers, body).await?;
    let project = &project(&fields)?;
    let image = shared(&app, &caller, &id, "create members").await?;
    app.policy.check(Action::AddMember, &caller, &app::target(&image))?;
    let count = app.catalog.members(image.id).await?.len();
    if count >= app.limits.members {
        let error = ApiError::too_large(format!(
            "The limit has been exceeded on the number of allowed image members for this image. \
             Attempted: {}, Maximum: {}",
            count + 1,
            app.limits.members
        ));
        return Err(error.about("member", image.id));
    }
    let member = app.catalog.add_member(image.id, project).await?;
    app.notifier.info("image.member.create", || notices::member(&member));
    sharing::share(&app.used_by(&caller, &headers), &image).await?;
    Ok(Json(view::member(&member)))
}

/// The member itself says whether it takes the image; its owner can't say so for it.
async fn answer(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, project)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    let fields = body::json(&headers, body).await?;
    let status = status(&fields)?;
    let image = shared(&app, &caller, &id, "update members").await?;
    find(&app, &caller, &image, &project).await?;
    let target = app::target(&image).shared_with(&project);
    app.policy.check(Action::ModifyMember, &caller, &target)?;
    let member = app.catalog.set_member(image.id, &project, status).await?;
    app.notifier.info("image.member.update", || notices::member(&member));
    Ok(Json(view::member(&member)))
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, project)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let image = shared(&app, &caller, &id, "delete members").await?;
    app.policy.check(Action::DeleteMember, &caller, &app::target(&image))?;
    let members = if app.notifier.is_on() { app.catalog.members(image.id).await? } else { vec![] };
    app.catalog.remove_member(image.id, &project).await?;
    if let Some(member) = members.iter().find(|member| member.project == project) {
        app.notifier.info("image.member.delete", || notices::member_removed(member));
    }
    sharing::share(&app.used_by(&caller, &headers), &image).await?;
    Ok(StatusCode::NO_CONTENT)
}

const ONLY_SHARED: &str = "Only shared images have members.";

/// An image that the caller sees and that can have members, to do `what` with them.
async fn shared(app: &App, caller: &Caller, id: &str, what: &str) -> Result<Image> {
    let image = app.visible(caller, id).await.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => ApiError::not_found(format!("Image {id} not found.")),
        _ => error,
    })?;
    if image.visibility == Visibility::Shared {
        return Ok(image);
    }
    let why = if what.starts_with("list") { format!(": {ONLY_SHARED}") } else { ".".to_owned() };
    Err(ApiError::forbidden(format!("Not allowed to {what} for image {id}{why}")))
}

/// The owner and administrators see all members; a member sees itself.
async fn seen_members(app: &App, caller: &Caller, image: &Image) -> Result<Vec<Member>> {
    let own = caller.project_id.as_deref().unwrap_or_default();
    let target = app::target(image).shared_with(own);
    app.policy.check(Action::GetMembers, caller, &target)?;
    let mut members = app.catalog.members(image.id).await?;
    if !caller.is_admin && image.owner.as_deref() != Some(own) {
        members.retain(|member| member.project == own);
    }
    Ok(members)
}

/// One of the members that the caller sees.
async fn find(app: &App, caller: &Caller, image: &Image, project: &str) -> Result<Member> {
    let members = seen_members(app, caller, image).await?;
    let found = members.into_iter().find(|member| member.project == project);
    found.ok_or_else(|| unknown(project, image))
}

/// The project of a new member; a number is taken for its digits.
fn project(fields: &Value) -> Result<String> {
    let form =
        || ApiError::bad_request("Expected a member in the form: {\"member\": \"image_id\"}");
    let member = fields.as_object().ok_or_else(form)?.get("member");
    let project = match member {
        None => return Err(ApiError::bad_request("Member to be added not specified")),
        Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(form()),
    };
    match project.chars().count() {
        0 => Err(ApiError::bad_request("Member can't be empty")),
        1..=255 => Ok(project),
        _ => Err(ApiError::bad_request("A member has 255 characters at most.")),
    }
}

fn status(fields: &Value) -> Result<MemberStatus> {
    let form = || ApiError::bad_request("Expected a status in the form: {\"status\": \"status\"}");
    let status = fields.as_object().ok_or_else(form)?.get("status");
    let status = status.ok_or_else(|| ApiError::bad_request("Status not specified"))?;
    let known = status.as_str().and_then(|status| status.parse().ok());
    known.ok_or_else(|| {
        let message =
            "Incorrect request: Status must be \"pending\", \"accepted\" or \"rejected\".";
        ApiError::bad_request(message)
    })
}

fn unknown(project: &str, image: &Image) -> ApiError {
    ApiError::not_found(format!(
        "{project} not found in the member list of the image {}.",
        image.id
    ))
}
