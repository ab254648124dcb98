//! The way of an upload: body → digests, inspection, store → catalog.
//!
//! An image turns active only when its bytes are durable. Whatever fails before that takes the
//! bytes away again and leaves the image queued; what a crash leaves is found by
//! [`sweep`](crate::sweep::sweep), for the state `saving` is written before the first byte.

use std::sync::Arc;

use axum::body::Body;
use catalog::Stored;
use disk::Inspector;
use http::StatusCode;
use image::{ContainerFormat, Event, Image, Location};
use store::Store;

use crate::app::App;
use crate::digest::Digests;
use crate::error::{ApiError, Result};
use crate::intake::{Bounds, Intake, Refused};

/// Receives the bytes of a queued image. Runs to its end, whatever becomes of the client: a
/// connection that breaks must not keep the image from being put back in order.
pub(crate) async fn upload(
    app: Arc<App>,
    image: Image,
    body: Body,
    length: Option<u64>,
    store: Option<String>,
) -> Result<()> {
    check_formats(&image)?;
    if length.is_some_and(|length| length > app.limits.image_size) {
        return Err(refused(&Refused::TooLarge(app.limits.image_size)));
    }
    app.stores.get(store.as_deref())?;
    app.catalog.transition(image.id, Event::BeginUpload).await?;
    match tokio::spawn(receive(app, image, body, length, store)).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn receive(
    app: Arc<App>,
    image: Image,
    body: Body,
    length: Option<u64>,
    store: Option<String>,
) -> Result<()> {
    let (name, store) = app.stores.get(store.as_deref())?;
    let why = match pipe(&app, &image, body, length, name, store).await {
        Ok(stored) => match app.catalog.activate(image.id, &stored).await {
            Ok(_) => return Ok(()),
            // Deleted meanwhile, or the catalog failed: nobody owns the bytes now.
            Err(error) => {
                discard(store.as_ref(), &image).await;
                ApiError::from(error)
            }
        },
        Err(error) => error,
    };
    abandon(&app, &image).await;
    Err(why)
}

/// The straight way of the bytes. On an error nothing is left in the store.
async fn pipe(
    app: &App,
    image: &Image,
    body: Body,
    length: Option<u64>,
    name: &str,
    store: &Arc<dyn Store>,
) -> Result<Stored> {
    let bounds = Bounds { size: app.limits.image_size, idle: app.limits.upload_idle };
    let digests = Digests::start(&app.limits.hash_algorithm).map_err(|e| ApiError::internal(&e))?;
    let (source, facts) = Intake::start(body, bounds, inspector(image), digests);
    let written = store.put(image.id, length, source).await.map_err(failed)?;
    let facts = facts.await.map_err(|error| ApiError::internal(&error))?;
    Ok(Stored {
        location: Location { uri: written.uri, store: Some(name.to_owned()) },
        size: written.size,
        virtual_size: facts.virtual_size,
        hashes: facts.hashes,
    })
}

/// Bytes that are wrapped in a container are not what `disk_format` says, so they are not looked
/// into.
fn inspector(image: &Image) -> Option<Inspector> {
    let bare = image.container_format == Some(ContainerFormat::Bare);
    image.disk_format.filter(|_| bare).map(|format| Inspector::new(format.as_str()))
}

fn check_formats(image: &Image) -> Result<()> {
    let formats = [
        ("disk_format", image.disk_format.is_none()),
        ("container_format", image.container_format.is_none()),
    ];
    let missing: Vec<_> = formats.iter().filter(|(_, missing)| *missing).map(|(n, _)| *n).collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(ApiError::bad_request(format!(
            "Properties {} must be set prior to saving data.",
            missing.join(", ")
        ))),
    }
}

/// What went wrong on the client's side is its own to know; the rest is the store's.
fn failed(error: store::Error) -> ApiError {
    match error {
        store::Error::Source(why) => match why.downcast::<Refused>() {
            Ok(why) => refused(&why),
            Err(why) => ApiError::bad_request(why.to_string()),
        },
        other => other.into(),
    }
}

fn refused(why: &Refused) -> ApiError {
    match why {
        Refused::TooLarge(_) => ApiError::too_large(format!("{why}.")),
        Refused::Digest(error) => ApiError::internal(error),
        Refused::Gone(_) | Refused::Silent(_) => {
            tracing::info!(%why, "upload ended early");
            ApiError::bad_request(format!("The upload ended early: {why}."))
        }
        Refused::Unsafe(_) => {
            tracing::warn!(%why, "image data refused");
            // Glance's code for what its format inspector refuses.
            let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            ApiError::new(code, format!("Image data was refused: {why}."))
        }
    }
}

async fn discard(store: &dyn Store, image: &Image) {
    if let Err(error) = store.discard(image.id).await {
        tracing::error!(image = %image.id, %error, "image data stays until the next start's sweep");
    }
}

/// Puts the image back to `queued`. An image that was deleted meanwhile stays so.
async fn abandon(app: &App, image: &Image) {
    if let Err(error) = app.catalog.transition(image.id, Event::Abandon).await {
        tracing::warn!(image = %image.id, %error, "image is not put back to queued");
    }
}
