//! The staging area: where bytes wait for their import, or for a plugin.

use std::fs;
use std::sync::Arc;

use axum::body::Body;
use identity::Caller;
use image::{Event, Image, ImageId, Status};
use store::Store;

use super::Imports;
use super::failure::{Failure, ended_early};
use crate::app::App;
use crate::body::Announced;
use crate::error::{ApiError, Result};
use crate::intake::{Bounds, Intake};
use crate::outlasting::to_its_end;
use crate::quota::{self, Resource};
use crate::receiving::Receipt;
use crate::{notices, upload};

/// The name under which Glance knows the staging area.
const NAME: &str = "os_glance_staging_store";

/// Receives the bytes of `PUT …/stage`. Runs to its end, whatever becomes of the client.
pub(crate) async fn stage(
    app: Arc<App>,
    caller: &Caller,
    image: Image,
    body: Body,
    announced: Announced,
) -> Result<()> {
    let refused = |status: Status| {
        let (from, to) = (status, Status::Uploading);
        ApiError::conflict(format!("Image status transition from {from} to {to} is not allowed"))
    };
    if image.status.next(Event::BeginStaging).is_err() {
        return Err(refused(image.status));
    }
    bounds(&app).expect_room(announced.length)?;
    let receipt = match app.receiving.begin(image.id, Event::BeginStaging).await {
        Err(catalog::Error::Conflict { status, .. }) => return Err(refused(status)),
        begun => begun?,
    };
    notices::changed(&app, image.id).await;
    let project = caller.project_id.clone();
    to_its_end(async move { take(&app, receipt, project, body, announced).await }).await
}

async fn take(
    app: &App,
    receipt: Receipt,
    project: Option<String>,
    body: Body,
    announced: Announced,
) -> Result<()> {
    // The image counts already.
    let counted = quota::enforce(app, project.as_deref(), Resource::CountUploading, 0).await;
    let staged = match counted {
        Ok(()) => write(app, &receipt, body, announced).await,
        Err(over) => Err(over),
    };
    let id = receipt.upload.image;
    let Err(why) = staged else {
        notices::changed(app, id).await;
        return Ok(());
    };
    // Where others stage the image now, or the catalog says after all that it is staged, what is there
    // stays.
    match receipt.with_another_key().await {
        Ok(receipt) => {
            unstage(&app.imports, id).await;
            receipt.end().await;
        }
        Err(error) => tracing::warn!(image = %id, %error, "image is not put back to queued"),
    }
    notices::changed(app, id).await;
    Err(why)
}

async fn write(app: &App, receipt: &Receipt, body: Body, announced: Announced) -> Result<()> {
    let (imports, id) = (&app.imports, receipt.upload.image);
    let host = imports.settings.own_url.as_deref();
    // The image was queued a moment ago: what is there was left behind.
    imports.staging.discard(id).await?;
    let source = receipt.guarded(Intake::plain(body, announced.bounds(bounds(app))));
    let written = imports.staging.put(id, announced.length, source).await;
    let written = written.map_err(|error| upload::failed(id, error))?;
    Ok(imports.records.staged(&receipt.upload, written.size, host).await?)
}

fn bounds(app: &App) -> Bounds {
    quota::bounds(app, app.limits.image_size)
}

/// Receives bytes that a plugin wants to have in a file.
pub(super) async fn receive(
    app: &App,
    id: ImageId,
    body: Body,
    length: Option<u64>,
) -> Result<(), Failure> {
    let staging = &app.imports.staging;
    let failed = |cause| match cause {
        store::Error::Source(why) => ended_early(why),
        cause => Failure::Store { store: NAME.to_owned(), cause },
    };
    staging.discard(id).await.map_err(failed)?;
    let source = Intake::plain(body, bounds(app));
    staging.put(id, length, source).await.map(drop).map_err(failed)
}

/// Removes what is staged of an image that was deleted.
pub(crate) async fn forget(app: &App, image: &Image) {
    if matches!(image.status, Status::Uploading | Status::Importing | Status::Queued) {
        unstage(&app.imports, image.id).await;
    }
}

/// Removes whatever is staged of an image, and what plugins made of it.
pub(crate) async fn unstage(imports: &Imports, id: ImageId) {
    if let Err(error) = imports.staging.discard(id).await {
        tracing::error!(image = %id, %error, "staged data stays until the next start's sweep");
    }
    let path = imports.staging.path().to_owned();
    let removed = tokio::task::spawn_blocking(move || remove_made(&path, |made| made == id)).await;
    if let Ok(Err(error)) = removed {
        tracing::error!(image = %id, %error, "staged data stays until the next start's sweep");
    }
}

/// Removes the files that plugins made of these images: `<id>.<ending>`.
fn remove_made(path: &std::path::Path, wanted: impl Fn(ImageId) -> bool) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let made = name.to_str().and_then(|name| name.split_once('.'));
        if made.and_then(|(id, _)| id.parse().ok()).is_some_and(&wanted) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Puts the staging area in order at the start: removes what waits for no import. Says how many
/// files were removed.
pub async fn sweep_staging(app: &App) -> catalog::Result<usize> {
    let staging = &app.imports.staging;
    let report = |error| tracing::error!(%error, "the staging area can't be swept");
    let mut removed = staging.sweep().await.map_err(report).unwrap_or_default();
    for id in staging.stored().await.map_err(report).unwrap_or_default() {
        match app.catalog.status_of(id).await? {
            // Not ours where nobody knows it: a directory may be shared.
            Some(Status::Uploading | Status::Importing) | None => {}
            Some(_) => {
                unstage(&app.imports, id).await;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
