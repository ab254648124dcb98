//! The way of an upload: body → digests, inspection, store → catalog.
//!
//! An image turns active only when its bytes are durable. Whatever fails before that takes the
//! bytes away again and leaves the image queued; what a crash leaves is found by
//! [`sweep`](crate::sweep::sweep) and [`tend`](crate::receiving::tend), for the state `saving` is
//! written before the first byte, and with it who receives them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use catalog::{Stored, Viewer};
use disk::Inspector;
use futures::FutureExt;
use image::{ContainerFormat, DiskFormat, Event, Image, ImageId, Status};
use store::Store;
use thiserror::Error;

use crate::app::App;
use crate::digest::{self, Digests};
use crate::error::{ApiError, Result};
use crate::intake::{Intake, Refused};
use crate::keys::Token;
use crate::outlasting::to_its_end;
use crate::quota::Allowance;
use crate::receiving::Receipt;
use crate::{leftovers, notices, sharing};

/// What an upload was admitted with.
pub(crate) struct Terms {
    /// The store that it names.
    pub(crate) store: Option<String>,
    /// The caller's token, for the keys that verify a signed image.
    pub(crate) token: Option<Token>,
    /// What the project may have.
    pub(crate) allowance: Allowance,
}

/// Receives the bytes of a queued image. Runs to its end, whatever becomes of the client: a
/// connection that breaks must not keep the image from being put back in order.
pub(crate) async fn upload(
    app: Arc<App>,
    image: Image,
    body: Body,
    length: Option<u64>,
    terms: Terms,
) -> Result<()> {
    check_formats(&image)?;
    let (name, target) = app.stores.get(terms.store.as_deref())?;
    if !target.abilities().writable {
        return Err(store::Error::ReadOnly(name.to_owned()).into());
    }
    let receipt = app.receiving.begin(image.id, Event::BeginUpload).await.map_err(closed)?;
    to_its_end(receive(app, receipt, body, length, terms)).await
}

/// Glance's words for an image that takes no bytes now.
fn closed(error: catalog::Error) -> ApiError {
    match error {
        catalog::Error::Conflict { status, .. } => ApiError::conflict(format!(
            "Image status transition from {status} to {} is not allowed",
            Status::Saving
        )),
        error => error.into(),
    }
}

async fn receive(
    app: Arc<App>,
    receipt: Receipt,
    body: Body,
    length: Option<u64>,
    terms: Terms,
) -> Result<()> {
    let id = receipt.upload.image;
    let (name, store) = app.stores.get(terms.store.as_deref())?;
    // What inspects hostile bytes may fail in ways that nobody foresaw. The image must not stay
    // `saving` for that.
    let piped = AssertUnwindSafe(pipe(&app, &receipt, body, length, (name, store), &terms))
        .catch_unwind()
        .await;
    let why = match piped {
        Ok(Ok(stored)) => {
            let stored = Stored { upload: Some(receipt.upload.clone()), ..stored };
            match terms.allowance.activate(&app, id, &stored).await {
                Ok(image) => {
                    sharing::announce(&app, id).await;
                    tell_of_success(&app, &image);
                    return Ok(());
                }
                Err(error) => return disowned(&app, receipt, name, error).await,
            }
        }
        Ok(Err(error)) => error,
        Err(_) => ApiError::internal(&Panicked),
    };
    end(&app, receipt).await;
    tell_of_failure(&app, id, &why).await;
    Err(why)
}

/// What is left in a store and could not be noted is found by who takes the upload over.
async fn end(app: &App, receipt: Receipt) {
    if app.leftovers.are_noted(receipt.upload.image) {
        receipt.end().await;
    }
}

/// What Glance tells, in its order: the image's data is there, and so the image.
pub(crate) fn tell_of_success(app: &App, image: &Image) {
    app.notifier.info("image.upload", || notices::uploaded(image));
    app.notifier.info("image.activate", || notices::image(image));
    app.notifier.info("image.update", || notices::image(image));
}

async fn tell_of_failure(app: &App, id: ImageId, why: &ApiError) {
    app.notifier.error("image.upload", || notices::upload_failed(id, why));
    notices::changed(app, id).await;
}

#[derive(Debug, Error)]
#[error("receiving an upload panicked; the image is queued again")]
struct Panicked;

/// The catalog failed to take bytes that are stored already. They go only where it is known that the
/// image can't become active with them any more: what a connection was lost over may be done, or be
/// done yet.
async fn disowned(app: &App, receipt: Receipt, store: &str, error: catalog::Error) -> Result<()> {
    let id = receipt.upload.image;
    let held = match &error {
        catalog::Error::UploadLost(_) => None,
        refusal if refusal.is_refusal() => Some(receipt),
        _ => match receipt.with_another_key().await {
            Ok(receipt) => Some(receipt),
            Err(catalog::Error::UploadLost(_)) if is_active(app, id).await => return Ok(()),
            Err(catalog::Error::UploadLost(_)) => None,
            Err(why) => {
                tracing::error!(image = %id, %why, "an upload ends once the catalog answers");
                return Err(error.into());
            }
        },
    };
    match held {
        Some(receipt) => {
            leftovers::clear(app, id, store).await;
            end(app, receipt).await;
        }
        None => app.leftovers.note(id, store).await,
    }
    Err(error.into())
}

async fn is_active(app: &App, id: ImageId) -> bool {
    app.catalog.status_of(id).await.is_ok_and(|status| status.is_some_and(Status::has_data))
}

/// The straight way of the bytes. On an error nothing is left in the store, or is removed once the store
/// answers again.
async fn pipe(
    app: &App,
    receipt: &Receipt,
    body: Body,
    length: Option<u64>,
    (name, store): (&str, &Arc<dyn Store>),
    terms: &Terms,
) -> Result<Stored> {
    let id = receipt.upload.image;
    terms.allowance.check_begun(app).await?;
    // Read again: from `saving` on its formats stay as they are.
    let image = app.catalog.get(&Viewer::service(), id).await?;
    check_formats(&image)?;
    app.notifier.info("image.update", || notices::image(&image));
    app.notifier.info("image.prepare", || notices::preparing(&image, name));
    let digests = digests(app, &image, terms.token.as_ref()).await?;
    let inspector = inspector(app, image.disk_format, image.container_format);
    let (source, facts) = Intake::start(body, terms.allowance.bounds, inspector, digests);
    let source = receipt.guarded(source);
    let written = leftovers::put(app, id, (name, store), length, source).await;
    let written = written.map_err(|error| failed(id, error))?;
    let facts = facts.await.map_err(|error| ApiError::internal(&error))?;
    Ok(Stored {
        location: app.stores.location(name, written.uri),
        size: written.size,
        virtual_size: facts.virtual_size,
        hashes: Some(facts.hashes),
        upload: None,
    })
}

/// A signed image is verified as its bytes pass, before the store takes them for complete.
async fn digests(app: &App, image: &Image, token: Option<&Token>) -> Result<Digests> {
    let internal = |error| ApiError::internal(&error);
    let digests = Digests::start(&app.limits.hash_algorithm).map_err(internal)?;
    match app.keys.verifier(image, token).await {
        Ok(None) => Ok(digests),
        Ok(Some(verifier)) => digests.verified_by(verifier).map_err(internal),
        Err(error) => Err(ApiError::unverified(image.id, &error)),
    }
}

/// Bytes that are wrapped in a container are not what `disk_format` says, so they are not looked
/// into.
pub(crate) fn inspector(
    app: &App,
    disk: Option<DiskFormat>,
    container: Option<ContainerFormat>,
) -> Option<Inspector> {
    let bare = container == Some(ContainerFormat::Bare);
    let tables = app.rules.formats.tables;
    disk.filter(|_| bare).map(|format| Inspector::new(format.as_str(), tables))
}

fn check_formats(image: &Image) -> Result<()> {
    let formats = [
        ("disk_format", image.disk_format.is_none()),
        ("container_format", image.container_format.is_none()),
    ];
    let missing: Vec<_> = formats.iter().filter(|(_, missing)| *missing).map(|(n, _)| *n).collect();
    let what = match missing.len() {
        0 => return Ok(()),
        1 => "Property",
        _ => "Properties",
    };
    let names = missing.join(", ");
    Err(ApiError::bad_request(format!("{what} {names} must be set prior to saving data.")))
}

/// What went wrong on the client's side is its own to know; the rest is the store's.
pub(crate) fn failed(id: ImageId, error: store::Error) -> ApiError {
    match error {
        store::Error::Source(why) => match why.downcast::<Refused>() {
            Ok(why) => match *why {
                Refused::Digest(digest::Failed::Signature(why)) => ApiError::unverified(id, &why),
                why => why.into(),
            },
            Err(why) => match why.downcast::<catalog::Error>() {
                Ok(why) => (*why).into(),
                Err(why) => ApiError::bad_request(why.to_string()),
            },
        },
        other => other.into(),
    }
}
