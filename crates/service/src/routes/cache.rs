//! `/v2/cache`: what this node keeps in its image cache, and what it is to fetch.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use catalog::CachedImage;
use http::{HeaderMap, StatusCode};
use identity::Caller;
use identity::policy::{Action, Target};
use image::{Image, ImageId, Status, Timestamp};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::cache::Cache;
use crate::caller::Authenticated;
use crate::error::{ApiError, Result};
use crate::openapi::{Content, Operation};

/// Says which half of the cache `DELETE /v2/cache` empties: `cache` or `queue`; both without it.
const TARGET: &str = "x-image-cache-clear-target";

/// Microseconds in a second.
const MICROS: f64 = 1e6;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::get("/v2/cache", "List cached and queued images")
        .answers(200, Content::Json("object")),
    Operation::delete("/v2/cache", "Empty the cache, its queue or both")
        .headers(&[("X-Image-Cache-Clear-Target", "string")]),
    Operation::post("/v2/cache/clean", "Remove files that are no valid image")
        .answers(200, Content::Json("object")),
    Operation::post("/v2/cache/prune", "Bring the cache down to its size")
        .answers(200, Content::Json("object")),
    Operation::get(
        "/v2/cache/nodes/{image_id}",
        "List the nodes that have an image in their cache",
    )
    .answers(200, Content::Json("object")),
    Operation::put("/v2/cache/{image_id}", "Queue an image for the cache")
        .answers(202, Content::Nothing),
    Operation::delete("/v2/cache/{image_id}", "Take an image out of the cache"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/cache", get(list).delete(clear))
        .route("/cache/clean", post(clean))
        .route("/cache/prune", post(prune))
        .route("/cache/nodes/{image_id}", get(nodes))
        .route("/cache/{image_id}", put(queue).delete(remove))
}

async fn list(State(app): State<Arc<App>>, caller: Authenticated) -> Result<Json<Value>> {
    let cache = permitted(&app, &caller, Action::CacheList, None)?;
    let cached: Vec<_> = cache.cached().iter().map(shown).collect();
    let queued = cache.queued().await.map_err(failed)?;
    Ok(Json(json!({ "cached_images": cached, "queued_images": queued })))
}

async fn clear(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let cache = permitted(&app, &caller, Action::CacheDelete, None)?;
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (images, queue) = match target.to_ascii_lowercase().as_str() {
        "" => (true, true),
        "cache" => (true, false),
        "queue" => (false, true),
        _ => {
            return Err(ApiError::bad_request(format!(
                "If provided '{TARGET}' must be 'cache', 'queue' or empty string."
            )));
        }
    };
    if images {
        cache.clear().await;
    }
    if queue {
        cache.clear_queue().await.map_err(failed)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn queue(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let image = app.visible(&caller, &id).await.map_err(|error| unknown(&id, error))?;
    let cache = permitted(&app, &caller, Action::CacheImage, Some(&image))?;
    if image.status != Status::Active {
        let message = "Only images with status active can be targeted for queueing";
        return Err(ApiError::bad_request(message));
    }
    cache.queue(image.id).await.map_err(failed)?;
    Ok(StatusCode::ACCEPTED)
}

/// An image that is gone may still be in the cache.
async fn remove(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let image = match app.visible(&caller, &id).await {
        Ok(image) => Some(image),
        Err(error) if is_known(&app, &id).await? => {
            tracing::debug!(?error, "an image of the cache is gone");
            None
        }
        Err(error) => return Err(unknown(&id, error)),
    };
    let cache = permitted(&app, &caller, Action::CacheDelete, image.as_ref())?;
    if let Ok(id) = id.parse() {
        cache.remove(id).await;
        cache.dequeue(id).await.map_err(failed)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn clean(State(app): State<Arc<App>>, caller: Authenticated) -> Result<Response> {
    let cache = permitted(&app, &caller, Action::CacheClean, None)?;
    cache.clean().await.map_err(failed)?;
    Ok(StatusCode::OK.into_response())
}

async fn prune(State(app): State<Arc<App>>, caller: Authenticated) -> Result<Json<Value>> {
    let cache = permitted(&app, &caller, Action::CachePrune, None)?;
    let pruned = cache.prune().await;
    Ok(Json(json!({
        "total_files_pruned": pruned.files,
        "total_bytes_pruned": pruned.bytes,
    })))
}

async fn nodes(
    State(app): State<Arc<App>>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Vec<String>>> {
    let cache = permitted(&app, &caller, Action::ListCachedNodes, None)?;
    let apart = || ApiError::conflict("Centralized caching is not enabled");
    let urls = match id.parse() {
        Ok(id) => cache.nodes(id).await?.ok_or_else(apart)?,
        Err(_) => Vec::new(),
    };
    app.visible(&caller, &id).await.map_err(|error| unknown(&id, error))?;
    Ok(Json(urls))
}

/// The cache, if the caller may do this to it. Who may not does not learn whether there is one, as
/// in Glance.
fn permitted<'a>(
    app: &'a App,
    caller: &Caller,
    action: Action,
    image: Option<&Image>,
) -> Result<&'a Arc<Cache>> {
    app.policy.check(action, caller, &image.map_or_else(Target::default, app::target))?;
    let message = "Caching via API is not supported at this site.";
    app.cache.as_ref().ok_or_else(|| ApiError::not_found(message))
}

async fn is_known(app: &App, id: &str) -> Result<bool> {
    let (Some(cache), Ok(id)) = (&app.cache, id.parse::<ImageId>()) else { return Ok(false) };
    Ok(cache.holds(id) || cache.queued().await.map_err(failed)?.contains(&id))
}

fn unknown(id: &str, error: ApiError) -> ApiError {
    match error.status {
        StatusCode::NOT_FOUND => ApiError::not_found(format!("Image {id} not found.")),
        _ => error,
    }
}

fn failed(error: io::Error) -> ApiError {
    ApiError::internal(&error)
}

fn shown(image: &CachedImage) -> Value {
    json!({
        "id": image.row,
        "image_id": image.image_id,
        "last_accessed": seconds(image.last_accessed),
        "last_modified": seconds(image.last_modified),
        "size": image.size,
        "hits": image.hits,
        "checksum": image.checksum,
    })
}

/// Seconds since 1970, with a fraction.
fn seconds(instant: Timestamp) -> f64 {
    instant.as_microsecond() as f64 / MICROS
}
