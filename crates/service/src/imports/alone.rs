//! Having an image that has its bytes to oneself: under the lock that imports take, so that nobody,
//! Glance included, copies it to another store meanwhile. The lock has to name a task that lives, or
//! others take it away; so there is one.

use catalog::{Effect, Ending, ImportStart, Lease, Viewer};
use image::{ImageId, Task, TaskType, Timestamp};
use serde_json::json;

use super::admission::stale_lock;
use super::failure::Failure;
use super::order::WORKER;
use super::pulse::Pulse;
use super::worker::Job;
use crate::app::App;

/// The key beside the worker's id that only this module writes.
const REMOVES: &str = "removes";

/// Does the work while nobody else brings bytes to an image that has some; `None` where somebody does,
/// or it has none any more. The work is dropped where somebody takes the task over.
pub(crate) async fn alone<T>(
    app: &App,
    id: ImageId,
    work: impl Future<Output = T>,
) -> catalog::Result<Option<T>> {
    let image = match app.catalog.get(&Viewer::service(), id).await {
        Err(catalog::Error::NotFound(_)) => return Ok(None),
        image => image?,
    };
    let Ok(preempts) = stale_lock(app, &image).await else { return Ok(None) };
    let worker = &app.imports.settings.worker;
    let input = json!({ "image_id": id, WORKER: { "id": worker, REMOVES: true } });
    let owner = image.owner.clone().unwrap_or_default();
    let kind = TaskType::ApiImageImport;
    let task =
        Task { image_id: Some(id.to_string()), ..Task::new(kind, owner, input, Timestamp::now()) };
    let (lease, enlisted) = (Lease::of(&task), app.imports.enlist(task.id));
    let start = ImportStart { task, effect: Effect::Copies, stores: Vec::new(), preempts };
    match app.imports.records.begin_import(id, &start).await {
        Err(catalog::Error::ImportLocked { .. } | catalog::Error::NotFound(_)) => return Ok(None),
        begun => begun?,
    }
    let mut pulse = Pulse::new(app.imports.tasks.clone(), lease, enlisted.nudged.clone());
    let done = async {
        pulse.begin(false).await?;
        pulse.during(work).await
    };
    let done = done.await;
    let ending = match &done {
        Ok(_) => Ending::Success(json!({ "image_id": id })),
        Err(Failure::Lost) => return Ok(None),
        Err(why) => Ending::Failure(why.to_string()),
    };
    release(app, &pulse, id, &ending).await?;
    Ok(done.ok())
}

async fn release(app: &App, pulse: &Pulse, id: ImageId, ending: &Ending) -> catalog::Result<()> {
    let keep = app.imports.settings.keep;
    app.imports.records.end_attachment(pulse.lease(), id, ending, keep).await
}

/// Whether a task is one of these.
pub(super) fn began(task: &Task) -> bool {
    task.input.get(WORKER).and_then(|worker| worker.get(REMOVES)).is_some()
}

/// Ends the task of a service that was ended itself: what it had to do is begun anew.
pub(super) async fn end(app: &App, job: &Job, pulse: &Pulse) -> Result<(), Failure> {
    let ending = Ending::Failure("The service ended.".to_owned());
    match job.task.image_id.as_deref().and_then(|id| id.parse().ok()) {
        Some(image) => release(app, pulse, image, &ending).await?,
        None => {
            app.imports.tasks.end_task(pulse.lease(), &ending, app.imports.settings.keep).await?
        }
    }
    Ok(())
}
