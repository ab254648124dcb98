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
use crate::{body, view};

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
    let image = shared(&app, &caller, &id).await?;
    let members = seen_members(&app, &caller, &image).await?;
    let members: Vec<_> = members.iter().map(view::member).collect();
    Ok(Json(json!({ "members": members, "schema": "/v2/schemas/members" })))
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, project)): Path<(String, String)>,
) -> Result<Json<Value>> {
    let image = shared(&app, &caller, &id).await?;
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
    let project = text(&fields, "member")?;
    let image = shared(&app, &caller, &id).await?;
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
    Ok(Json(view::member(&app.catalog.add_member(image.id, project).await?)))
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
    let status: MemberStatus = text(&fields, "status")?
        .parse()
        .map_err(|error: image::UnknownName| ApiError::bad_request(error.to_string()))?;
    let image = shared(&app, &caller, &id).await?;
    find(&app, &caller, &image, &project).await?;
    let target = app::target(&image).shared_with(&project);
    app.policy.check(Action::ModifyMember, &caller, &target)?;
    Ok(Json(view::member(&app.catalog.set_member(image.id, &project, status).await?)))
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path((id, project)): Path<(String, String)>,
) -> Result<StatusCode> {
    let image = shared(&app, &caller, &id).await?;
    app.policy.check(Action::DeleteMember, &caller, &app::target(&image))?;
    app.catalog.remove_member(image.id, &project).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An image that the caller sees and that can have members.
async fn shared(app: &App, caller: &Caller, id: &str) -> Result<Image> {
    let image = app.visible(caller, id).await?;
    match image.visibility {
        Visibility::Shared => Ok(image),
        _ => Err(ApiError::forbidden("Only shared images have members.")),
    }
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

fn text<'a>(fields: &'a Value, name: &str) -> Result<&'a str> {
    let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() <= 255 => Ok(text),
        _ => {
            Err(ApiError::bad_request(format!("Expected a JSON object like {{\"{name}\": \"…\"}}")))
        }
    }
}

fn unknown(project: &str, image: &Image) -> ApiError {
    ApiError::not_found(format!(
        "{project} not found in the member list of the image {}.",
        image.id
    ))
}
