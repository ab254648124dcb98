//! The tasks API's own import, older than `POST …/import`: it makes an image of what is at a URL.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use catalog::{Ending, Lease, Stored, Viewer};
use futures::FutureExt;
use identity::Caller;
use identity::policy::Action;
use image::{Event, Image, ImageId, Status, Task, TaskType, Timestamp, Visibility};
use serde_json::{Map, Value, json};

use super::body::Method;
use super::failure::{Failure, ended_early};
use super::order;
use super::pulse::Pulse;
use super::quotas;
use super::signed;
use super::source::{self, Opened};
use super::told;
use super::turns::Turns;
use super::worker::Job;
use crate::app::App;
use crate::create;
use crate::error::{ApiError, Result};
use crate::intake::{Bounds, Intake};
use crate::keys::Token;
use crate::{leftovers, notices, sharing, upload};

/// Starts the task that a body of `POST /v2/tasks` asks for.
pub(crate) async fn start(
    app: &App,
    caller: &Caller,
    kind: TaskType,
    input: Value,
    request_id: Option<String>,
    token: Option<Token>,
) -> Result<Task> {
    if kind == TaskType::Import {
        check_url(app, input.get("import_from")).await?;
        check_visibility(app, caller, &input)?;
    }
    let id = input.get("image_id").and_then(Value::as_str).map(str::to_owned);
    let owner = caller.project_id.clone().unwrap_or_default();
    let marked = order::marked(input, &app.imports.settings.worker);
    let made = (kind == TaskType::Import).then(|| ImageId::random().to_string());
    let task = Task {
        image_id: made.or(id),
        user_id: Some(caller.user_id.clone()),
        request_id,
        ..Task::new(kind, owner, marked, Timestamp::now())
    };
    let enlisted = app.imports.enlist(task.id);
    app.imports.tasks.create_task(&task).await?;
    told::created(app, &task);
    let lease = Lease::of(&task);
    let shown = task.clone();
    app.imports.submit(Job { task, lease, token, enlisted, is_recovered: false }).await;
    Ok(shown)
}

/// In the words of Glance's `validate_legacy_import_from_uri`.
async fn check_url(app: &App, url: Option<&Value>) -> Result<()> {
    let Some(url) = url.and_then(Value::as_str) else {
        return Err(ApiError::bad_request("Invalid location: None"));
    };
    if url.starts_with("file:") || url.starts_with("filesystem:") {
        return Err(ApiError::bad_request(
            "File based imports are not allowed. Please use a non-local source of image data.",
        ));
    }
    app.imports.settings.fetcher.admit(url).await.map(drop).map_err(|why| {
        tracing::info!(%why, "URL refused");
        ApiError::bad_request(format!("URI for legacy import task does not pass filtering: {url}"))
    })
}

/// Showing an image to everybody takes the same permission as elsewhere.
fn check_visibility(app: &App, caller: &Caller, input: &Value) -> Result<()> {
    let wanted = input.get("image_properties").and_then(|fields| fields.get("visibility"));
    let action = match wanted.and_then(Value::as_str).map(str::parse) {
        Some(Ok(Visibility::Public)) => Action::PublicizeImage,
        Some(Ok(Visibility::Community)) => Action::CommunitizeImage,
        _ => return Ok(()),
    };
    let owned = identity::policy::Target::owned_by(caller.project_id.as_deref());
    Ok(app.policy.check(action, caller, &owned)?)
}

/// Runs the task to its end.
pub(super) async fn run(
    app: &Arc<App>,
    job: &Job,
    pulse: &mut Pulse,
    turns: &Turns,
) -> Result<(), Failure> {
    let made = attempt(app, job, pulse, turns).await;
    let ending = match &made {
        Ok(id) => Ending::Success(json!({ "image_id": id })),
        Err(Failure::Lost) => return Err(Failure::Lost),
        Err(why) => Ending::Failure(why.to_string()),
    };
    app.imports.tasks.end_task(pulse.lease(), &ending, app.imports.settings.keep).await?;
    made.map(drop)
}

async fn attempt(
    app: &App,
    job: &Job,
    pulse: &mut Pulse,
    turns: &Turns,
) -> Result<ImageId, Failure> {
    let (name, store) = app.stores.get(None)?;
    let stores = vec![(name.to_owned(), store.clone())];
    let mut turn = turns.begin(app, job, pulse, stores).await?;
    if job.task.kind != TaskType::Import {
        return Err(Failure::Unreadable);
    }
    let work = AssertUnwindSafe(make(app, job)).catch_unwind();
    let made = match pulse.during(turn.during(work)).await {
        Ok(made) => made.unwrap_or(Err(Failure::Panicked)),
        Err(why) => Err(why),
    };
    if matches!(made, Err(ref why) if !matches!(why, Failure::Lost)) {
        forget(app, &job.task).await;
    }
    made
}

async fn make(app: &App, job: &Job) -> Result<ImageId, Failure> {
    let task = &job.task;
    let image = match existing(app, task).await? {
        Some(image) if image.status.has_data() => return Ok(image.id),
        Some(image) => image,
        None => record(app, task).await?,
    };
    let url = task.input.get("import_from").and_then(Value::as_str).map(str::to_owned);
    let method = Method::WebDownload(url);
    let opened = source::open(app, &method, &image, None).await?;
    app.catalog.transition(image.id, Event::BeginUpload).await?;
    let most = app.limits.image_size;
    let allowance = quotas::allowance(app, job, image.id, most, opened.length).await?;
    let stored = write(app, &image, opened, allowance.bounds, job.token.as_ref()).await?;
    let active = allowance.activate(app, image.id, &stored).await?;
    sharing::announce(app, image.id).await;
    upload::tell_of_success(app, &active);
    Ok(image.id)
}

/// The image that an earlier attempt made, queued again.
async fn existing(app: &App, task: &Task) -> Result<Option<Image>, Failure> {
    let Some(id) = id(task) else { return Ok(None) };
    let image = match app.catalog.get(&Viewer::service(), id).await {
        Err(catalog::Error::NotFound(_)) => return Ok(None),
        image => image?,
    };
    if image.status == Status::Saving {
        leftovers::clear(app, id, app.stores.default_name()).await;
        app.catalog.transition(id, Event::Abandon).await?;
    }
    Ok(Some(image))
}

fn id(task: &Task) -> Option<ImageId> {
    task.image_id.as_deref()?.parse().ok()
}

async fn record(app: &App, task: &Task) -> Result<Image, Failure> {
    let mut fields = match task.input.get("image_properties") {
        Some(Value::Object(fields)) => fields.clone(),
        _ => Map::new(),
    };
    fields.remove("id");
    if let Some(format) = task.input.get("import_from_format") {
        fields.entry("disk_format").or_insert_with(|| format.clone());
    }
    fields.entry("container_format").or_insert_with(|| "bare".into());
    let refused = |error: ApiError| Failure::Data(error.message);
    let owner = Some(task.owner.clone()).filter(|owner| !owner.is_empty());
    let image = create::parse_owned(&fields.into(), owner, &app.limits).map_err(refused)?;
    let image = Image { id: id(task).unwrap_or(image.id), ..image };
    app.catalog.create(&image).await?;
    app.notifier.info("image.create", || notices::image(&image));
    Ok(image)
}

async fn write(
    app: &App,
    image: &Image,
    opened: Opened,
    bounds: Bounds,
    token: Option<&Token>,
) -> Result<Stored, Failure> {
    let (name, store) = app.stores.get(None)?;
    let digests = signed::digests(app, image, &app.limits.hash_algorithm, token).await?;
    let inspector = upload::inspector(app, image.disk_format, image.container_format);
    let (source, facts) = Intake::start(opened.body, bounds, inspector, digests);
    let place = (name, store);
    let written = leftovers::put(app, image.id, place, opened.length, source).await;
    let written = written.map_err(|cause| match cause {
        store::Error::Source(why) => ended_early(why),
        cause => Failure::Store { store: name.to_owned(), cause },
    })?;
    let facts = facts.await.map_err(|_| Failure::Panicked)?;
    Ok(Stored {
        location: app.stores.location(name, written.uri),
        size: written.size,
        virtual_size: facts.virtual_size,
        hashes: Some(facts.hashes),
        // The task's lease says whose it is.
        upload: None,
    })
}

/// A task that fails leaves no image behind.
async fn forget(app: &App, task: &Task) {
    let Some(id) = id(task) else { return };
    match app.catalog.status_of(id).await {
        Ok(Some(Status::Queued | Status::Saving)) => {}
        _ => return,
    }
    // It may become active yet, where an answer of the catalog was lost, but not any more once it is
    // deleted.
    let losing = app.leftovers.losing(id, [app.stores.default_name()]);
    match app.catalog.delete(id, &losing.left).await {
        Ok(_) => {
            leftovers::clear(app, id, app.stores.default_name()).await;
            losing.end(&HashSet::new()).await;
        }
        Err(error) => tracing::error!(image = %id, %error, "an image without data stays"),
    }
}
