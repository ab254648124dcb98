//! Whether an import is admitted, and the task that is left of it. The order of the questions, and
//! the words of the refusals, are Glance's.

use std::time::Duration;

use catalog::{Effect, ImportStart, LOCK, Lease};
use http::{HeaderMap, Method as HttpMethod};
use identity::Caller;
use identity::policy::Action;
use image::{Image, Status, Task, TaskId, TaskStatus, TaskType, Timestamp};
use serde_json::Value;

use super::body::{self, Method, Remote, Wanted};
use super::worker::Job;
use super::{inject, order, proxy, told};
use crate::app::{self, App};
use crate::error::{ApiError, Result};
use crate::keys::Token;
use crate::quota::{self, Resource};

/// An import's lock is stale after so long without news of its task; that of a task that nobody has
/// begun with, after twice as long. Source: `ImagesController._enforce_import_lock` of Glance.
const STALE: Duration = Duration::from_secs(60 * 60);

/// Judges `POST …/import`, and starts what is admitted.
pub(crate) async fn admit(
    app: &App,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    request: &Value,
    request_id: Option<String>,
) -> Result<()> {
    let wanted = body::parse(request, &app.imports.settings.methods)?;
    quota::enforce(app, caller.project_id.as_deref(), Resource::SizeTotal, 0).await?;
    let mut image = app.visible(caller, id).await?;
    app.stores.settle(&mut image.locations);
    check_image(&image, &wanted.method)?;
    let action = match wanted.method {
        Method::CopyImage => Action::CopyImage,
        _ => Action::ModifyImage,
    };
    app.policy.check(action, caller, &app::target(&image))?;
    let preempts = stale_lock(app, &image).await?;
    let Some(stores) = stores(app, &image, &wanted, headers)? else { return Ok(()) };
    if wanted.method == Method::GlanceDirect
        && let Some(host) = proxy::host_of(&app.imports.settings, &image, headers)
    {
        let path = format!("/v2/images/{}/import", image.id);
        return proxy::proxy(host, HttpMethod::POST, &path, headers, Some(request)).await;
    }
    check_url(app, &wanted.method).await?;
    let mut task = task(app, caller, &image, request, &stores);
    task.request_id = request_id;
    let effect = match wanted.method {
        Method::CopyImage => Effect::Copies,
        _ => Effect::Fills,
    };
    let stores = if app.stores.are_named() { stores } else { Vec::new() };
    let start = ImportStart { task, effect, stores, preempts };
    begin(app, &image, start, Token::of(headers)).await
}

/// What the image's state allows.
fn check_image(image: &Image, method: &Method) -> Result<()> {
    let active = image.status == Status::Active;
    let why = match method {
        Method::CopyImage if !active => {
            "Only images with status active can be targeted for copying"
        }
        Method::CopyImage => return check_formats(image),
        _ if active => "Image with status active cannot be target for import",
        Method::WebDownload(_) | Method::GlanceDownload(_) if image.status != Status::Queued => {
            let name = method.name();
            return Err(ApiError::conflict(format!(
                "Image needs to be in 'queued' state to use '{name}' method"
            )));
        }
        Method::GlanceDirect if image.status != Status::Uploading => {
            "Image needs to be staged before 'glance-direct' method can be used"
        }
        _ => {
            check_formats(image)?;
            return match method {
                Method::GlanceDownload(remote) => check_remote(remote),
                _ => Ok(()),
            };
        }
    };
    Err(ApiError::conflict(why))
}

fn check_formats(image: &Image) -> Result<()> {
    let missing = [
        ("container_format", image.container_format.is_none()),
        ("disk_format", image.disk_format.is_none()),
    ];
    match missing.iter().find(|(_, missing)| *missing) {
        None => Ok(()),
        Some((name, _)) => {
            Err(ApiError::conflict(format!("'{name}' needs to be set before import")))
        }
    }
}

fn check_remote(remote: &Remote) -> Result<()> {
    let needed = [("glance_region", &remote.region), ("glance_image_id", &remote.image)];
    if let Some((name, _)) = needed.iter().find(|(_, value)| value.is_none()) {
        return Err(ApiError::bad_request(format!(
            "'{name}' needs to be set for glance-download import method"
        )));
    }
    let id = remote.image.as_deref().unwrap_or_default();
    id.parse::<image::ImageId>().map(drop).map_err(|_| {
        ApiError::bad_request(format!("Remote image id does not look like a UUID: {id}"))
    })
}

/// The task whose lock on the image is stale; none when there is no lock. Errors: it is not stale.
pub(super) async fn stale_lock(app: &App, image: &Image) -> Result<Option<TaskId>> {
    let Some(lock) = image.properties.get(LOCK) else { return Ok(None) };
    let active = || ApiError::conflict("Image has active task");
    let id: TaskId = lock.parse().map_err(|_| active())?;
    let task = match app.imports.tasks.task(id).await {
        // The task was deleted long ago.
        Err(catalog::Error::TaskNotFound(_)) => return Ok(Some(id)),
        task => task?,
    };
    let limit = if task.status == TaskStatus::Pending { STALE * 2 } else { STALE };
    let limit = i64::try_from(limit.as_micros()).unwrap_or(i64::MAX);
    let age = Timestamp::now().as_microsecond() - task.updated_at.as_microsecond();
    if age >= limit { Ok(Some(id)) } else { Err(active()) }
}

/// The stores that the image goes to; `None` when a copy has nowhere left to go.
fn stores(
    app: &App,
    image: &Image,
    wanted: &Wanted,
    headers: &HeaderMap,
) -> Result<Option<Vec<String>>> {
    let mut stores = named(app, wanted, headers)?;
    for name in &stores {
        let unknown = |_| ApiError::conflict(format!("Store for identifier {name} not found"));
        let (_, store) = app.stores.get(Some(name)).map_err(unknown)?;
        if !store.abilities().writable {
            return Err(ApiError::conflict(format!("Store {name} is only read")));
        }
    }
    if wanted.method != Method::CopyImage {
        return Ok(Some(stores));
    }
    let holds = |name: &String| {
        image.locations.iter().any(|location| location.store.as_ref() == Some(name))
    };
    if wanted.all_stores {
        stores.retain(|name| !holds(name));
        return Ok((!stores.is_empty()).then_some(stores));
    }
    match stores.iter().find(|name| holds(name)) {
        Some(name) => {
            Err(ApiError::bad_request(format!("Image is already present at store '{name}'")))
        }
        None => Ok(Some(stores)),
    }
}

fn named(app: &App, wanted: &Wanted, headers: &HeaderMap) -> Result<Vec<String>> {
    if !app.stores.are_named() {
        // Then stores are nobody's business, and what the body says of them means nothing.
        return match wanted.all_must_succeed {
            true => Ok(vec![app.stores.default_name().to_owned()]),
            false => Err(ApiError::bad_request(
                "All_stores_must_succeed can only be set with enabled_backends",
            )),
        };
    }
    let header = headers.get("x-image-meta-store").and_then(|name| name.to_str().ok());
    match (&wanted.stores, header) {
        _ if wanted.all_stores && (wanted.stores.is_some() || header.is_some()) => {
            Err(ApiError::bad_request(
                "All_stores parameter can't be used with x-image-meta-store header or stores \
                 parameter",
            ))
        }
        _ if wanted.all_stores => {
            let writable = app.stores.iter().filter(|(_, store)| store.abilities().writable);
            Ok(writable.map(|(name, _)| name.to_owned()).collect())
        }
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "Stores parameter and x-image-meta-store header can't be both specified",
        )),
        (Some(stores), None) if stores.is_empty() => {
            Err(ApiError::bad_request("'stores' has to name a store"))
        }
        (Some(stores), None) => Ok(stores.clone()),
        (None, header) => Ok(vec![header.unwrap_or(app.stores.default_name()).to_owned()]),
    }
}

async fn check_url(app: &App, method: &Method) -> Result<()> {
    let Method::WebDownload(url) = method else { return Ok(()) };
    let refused = |url: &str| {
        ApiError::bad_request(format!("URI for web-download does not pass filtering: {url}"))
    };
    let Some(url) = url else { return Err(refused("None")) };
    match app.imports.settings.fetcher.admit(url).await {
        Ok(_) => Ok(()),
        Err(why) => {
            tracing::info!(%why, "URL refused");
            Err(refused(url))
        }
    }
}

fn task(app: &App, caller: &Caller, image: &Image, request: &Value, stores: &[String]) -> Task {
    let settings = &app.imports.settings;
    let injects = inject::concerns(settings, caller);
    let input = order::input(image.id, request, stores, &settings.worker, injects);
    let owner = caller.project_id.clone().unwrap_or_default();
    Task {
        image_id: Some(image.id.to_string()),
        user_id: Some(caller.user_id.clone()),
        ..Task::new(TaskType::ApiImageImport, owner, input, Timestamp::now())
    }
}

/// Locks the image for its task and leaves the work to the worker.
pub(super) async fn begin(
    app: &App,
    image: &Image,
    start: ImportStart,
    token: Option<Token>,
) -> Result<()> {
    let task = start.task.clone();
    let enlisted = app.imports.enlist(task.id);
    match app.imports.records.begin_import(image.id, &start).await {
        Err(catalog::Error::ImportLocked { .. } | catalog::Error::Conflict { .. }) => {
            return Err(ApiError::conflict(format!(
                "New operation on image '{}' is not permitted as prior operation is still in \
                 progress",
                image.id
            )));
        }
        begun => begun?,
    }
    told::created(app, &task);
    let lease = Lease::of(&task);
    app.imports.submit(Job { task, lease, token, enlisted, is_recovered: false }).await;
    Ok(())
}
