//! `/v2/images`: records.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use identity::Caller;
use identity::policy::{Action, Target};
use image::{Event, Image, Status, Visibility};

use crate::app::{self, App};
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::keys::Token;
use crate::openapi::{Content, Operation};
use crate::outlasting::to_its_end;
use crate::quota::{self, Resource};
use crate::{
    body, conformity, create, imports, listing, locations, notices, patch, protected, sharing, view,
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/images", "List the images that the caller sees")
        .query(listing::PARAMETERS)
        .ignoring_bodies()
        .answers(200, Content::Json("images")),
    Operation::post("/v2/images", "Create the record of an image")
        .takes(Content::Json("new_image"))
        .answers(201, Content::Json("image")),
    Operation::get("/v2/images/{image_id}", "Show an image").answers(200, Content::Json("image")),
    Operation::patch("/v2/images/{image_id}", "Change an image")
        .takes(Content::Patch)
        .answers(200, Content::Json("image")),
    Operation::delete("/v2/images/{image_id}", "Delete an image"),
];

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/images", get(list).post(add))
        .route("/images/{image_id}", get(show).patch(change).delete(delete))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let project = Target::owned_by(caller.project_id.as_deref());
    app.policy.check(Action::GetImages, &caller, &project)?;
    let parameters = listing::parameters(query.as_deref());
    let query = listing::parse(&parameters, &app.limits)?;
    let mut images = app.catalog.list(&app::viewer(&caller), &query).await?;
    let last = images.last().filter(|_| images.len() == query.limit as usize).map(|last| last.id);
    images.retain(|image| app.policy.check(Action::GetImage, &caller, &app::target(image)).is_ok());
    let shown = |image| app.shown(&caller, app.settled(image));
    let images: Vec<_> = images.into_iter().map(shown).collect();
    let page = listing::page(&images, app.showing(&caller), last, &parameters);
    Ok(Json(page).into_response())
}

async fn add(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let fields = body::json(&headers, body).await?;
    let image = create::parse(&fields, &caller, &app.limits)?;
    conformity::check_new(&app.rules, &image)?;
    check_new_owner(&app, &caller, &image)?;
    check_visibility(&app, &caller, &image)?;
    protected::check_new(&app, &caller, &image)?;
    quota::enforce(&app, caller.project_id.as_deref(), Resource::CountTotal, 1).await?;
    app.catalog.create(&image).await?;
    app.notifier.info("image.create", || notices::image(&image));
    let headers = created_headers(&app, &headers, &image)?;
    let image = app.shown(&caller, image);
    Ok((StatusCode::CREATED, headers, Json(view::image(&image, app.showing(&caller))))
        .into_response())
}

async fn show(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Response> {
    let image = app.shown(&caller, app.visible(&caller, &id).await?);
    Ok(Json(view::image(&image, app.showing(&caller))).into_response())
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let dialect = body::expect_type(&headers, &[patch::V20, patch::V21])
        .map_err(|error| error.below(patch::EXPECTED).with(ACCEPT_PATCH, patch::DIALECTS))?;
    let operations = body::json(&headers, body).await?;
    let app = app.used_by(&caller, &headers);
    let (operations, moves) = locations::split(operations, dialect)?;
    let moves_alone = operations.as_array().is_some_and(Vec::is_empty);
    let is_empty = moves_alone && moves.is_empty();
    // Locations have rules of their own.
    let before = match moves_alone {
        true => app.visible(&caller, &id).await?,
        false => app.permitted(&caller, &id, Action::ModifyImage).await?,
    };
    let seen = app.shown(&caller, before.clone());
    let after = patch::apply(&seen, &operations, dialect)?;
    conformity::check_change(&app.rules, &seen, &after)?;
    protected::check_change(&app, &caller, &before, &seen, &after)?;
    create::check_growth(&seen, &after, &app.limits)?;
    check_owner(&caller, &before, &after)?;
    if before.visibility != after.visibility {
        check_visibility(&app, &caller, &after)?;
    }
    let moves = locations::plan(&app, &caller, &before, &moves).await?;
    let image = match is_empty {
        true => before,
        // As in Glance, an image is written and told of though nothing of it may be other than it was.
        false => {
            let image = app.catalog.update(before.id, &patch::difference(&seen, &after)).await?;
            let image = locations::carry_out(&app, image, moves).await?;
            app.notifier.info("image.update", || notices::image(&image));
            image
        }
    };
    if image.visibility != seen.visibility {
        sharing::share(&app, &image).await?;
    }
    let image = app.shown(&caller, image);
    Ok(Json(view::image(&image, app.showing(&caller))).into_response())
}

async fn delete(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let app = app.used_by(&caller, &headers);
    let image = app.visible(&caller, &id).await.map_err(|error| unfound(error, &id))?;
    app.policy.check(Action::DeleteImage, &caller, &app::target(&image))?;
    if imports::deleted_elsewhere(&app, &image, &headers).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let token = Token::of(&headers);
    to_its_end(async move { remove(&app, &caller, &image, token.as_ref()).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(app: &App, caller: &Caller, image: &Image, token: Option<&Token>) -> Result<()> {
    let status = if app.rules.deletion.delayed && !image.locations.is_empty() {
        app.catalog.transition(image.id, Event::DeleteLater).await?
    } else {
        // A protected one is refused for that.
        if !image.protected {
            locations::expect_deletable(app, image).await?;
        }
        locations::delete(app, image).await?;
        Status::Deleted
    };
    app.notifier.info("image.delete", || notices::deleted(image, status));
    if let Some(cache) = &app.cache {
        cache.remove(image.id).await;
    }
    imports::forget(app, image).await;
    app.keys.delete_key_of(image, caller, token).await;
    Ok(())
}

/// Showing an image to everybody takes a permission of its own.
fn check_visibility(app: &App, caller: &Caller, image: &Image) -> Result<()> {
    let action = match image.visibility {
        Visibility::Public => Action::PublicizeImage,
        Visibility::Community => Action::CommunitizeImage,
        Visibility::Private | Visibility::Shared => return Ok(()),
    };
    Ok(app.policy.check(action, caller, &app::target(image))?)
}

/// Only administrators give images away.
fn check_owner(caller: &Caller, before: &Image, after: &Image) -> Result<()> {
    if caller.is_admin || before.owner == after.owner {
        return Ok(());
    }
    Err(ApiError::denied("Owner can't be updated by non admin."))
}

/// Adding takes a permission, and giving it to others at once one more: Glance says which.
fn check_new_owner(app: &App, caller: &Caller, image: &Image) -> Result<()> {
    let permitted = app.policy.check(Action::AddImage, caller, &app::target(image));
    permitted.map_err(|forbidden| match &image.owner {
        owner if *owner == caller.project_id => forbidden.into(),
        owner => {
            let owner = owner.as_deref().unwrap_or("None");
            ApiError::denied(format!("You are not permitted to create images owned by '{owner}'"))
        }
    })
}

/// A deletion has words of its own for an image that is not there.
fn unfound(error: ApiError, id: &str) -> ApiError {
    match error.status {
        StatusCode::NOT_FOUND => {
            ApiError::not_found(format!("Failed to find image {id} to delete"))
        }
        _ => error,
    }
}

fn created_headers(app: &App, request: &HeaderMap, image: &Image) -> Result<HeaderMap> {
    let stores: Vec<_> = app.stores.iter().map(|(name, _)| name).collect();
    let mut values = vec![
        (header::LOCATION, format!("{}/v2/images/{}", app.url(request), image.id)),
        (
            HeaderName::from_static("openstack-image-import-methods"),
            app.imports.settings.methods.join(","),
        ),
    ];
    if app.stores.are_named() {
        values.push((HeaderName::from_static("openstack-image-store-ids"), stores.join(",")));
    }
    let value = |text: String| HeaderValue::try_from(text).map_err(|e| ApiError::internal(&e));
    values.into_iter().map(|(name, text)| Ok((name, value(text)?))).collect()
}
