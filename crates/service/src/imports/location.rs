//! The task of `POST /v2/images/{id}/locations`: it looks at bytes that lie elsewhere, and gives
//! them to their image.

use std::panic::AssertUnwindSafe;

use catalog::{Effect, Ending, ImportStart};
use futures::FutureExt;
use identity::Caller;
use image::{Image, ImageId, Location, Task, TaskStatus, TaskType, Timestamp};
use serde_json::{Value, json};

use super::admission::{begin, stale_lock};
use super::failure::Failure;
use super::order::WORKER;
use super::pulse::Pulse;
use super::turns::Turns;
use super::worker::Job;
use crate::app::App;
use crate::error::Result;
use crate::locations::{self, Attachment};

/// The key beside the worker's id that only this module writes: a task of this type that was made
/// through `POST /v2/tasks` was never admitted.
const ADMITTED: &str = "attaches";

/// Starts the task of an attachment that was admitted.
pub(crate) async fn start(
    app: &App,
    caller: &Caller,
    image: &Image,
    attachment: &Attachment,
    request_id: Option<String>,
) -> Result<()> {
    let imports = &app.imports;
    let task = Task {
        image_id: Some(image.id.to_string()),
        user_id: Some(caller.user_id.clone()),
        request_id,
        ..Task::new(
            TaskType::LocationImport,
            caller.project_id.clone().unwrap_or_default(),
            input(image.id, attachment, &imports.settings.worker),
            Timestamp::now(),
        )
    };
    let preempts = stale_lock(app, image).await?;
    let start = ImportStart { task, effect: Effect::Attaches, stores: Vec::new(), preempts };
    begin(app, image, start, None).await
}

/// In Glance's words, and marked as ours.
fn input(image: ImageId, attachment: &Attachment, worker: &str) -> Value {
    json!({
        "image_id": image,
        "loc_url": attachment.url,
        "validation_data": attachment.validation_data(),
        WORKER: { "id": worker, ADMITTED: true },
    })
}

/// What a task asks for; `None` when it was not left by [`start`].
fn order(task: &Task) -> Option<(ImageId, Attachment)> {
    task.input.get(WORKER)?.get(ADMITTED)?.as_bool().filter(|admitted| *admitted)?;
    let image = task.input.get("image_id")?.as_str()?.parse().ok()?;
    let url = task.input.get("loc_url")?.clone();
    let mut body = json!({ "url": url });
    let claim = task.input.get("validation_data").and_then(Value::as_object);
    if let Some(claim) = claim.filter(|claim| !claim.is_empty()) {
        body["validation_data"] = claim.clone().into();
    }
    Some((image, Attachment::parse(&body).ok()?))
}

/// Whether a task is to give the image bytes that lie elsewhere already.
pub(crate) async fn is_pending(app: &App, image: ImageId) -> catalog::Result<bool> {
    let tasks = app.imports.tasks.image_tasks(image).await?;
    Ok(tasks.iter().any(|task| {
        matches!(task.status, TaskStatus::Pending | TaskStatus::Processing) && order(task).is_some()
    }))
}

/// Runs the task to its end.
pub(super) async fn run(
    app: &App,
    job: &Job,
    pulse: &mut Pulse,
    turns: &Turns,
) -> Result<(), Failure> {
    let keep = app.imports.settings.keep;
    let Some((image, attachment)) = order(&job.task) else {
        let ending = Ending::Failure(Failure::Unreadable.to_string());
        app.imports.tasks.end_task(pulse.lease(), &ending, keep).await?;
        return Err(Failure::Unreadable);
    };
    let attached = attempt(app, job, image, attachment, pulse, turns).await;
    let ending = match &attached {
        Ok(()) => Ending::Success(json!({ "image_id": image })),
        Err(Failure::Lost) => return Err(Failure::Lost),
        Err(why) => Ending::Failure(why.to_string()),
    };
    app.imports.records.end_attachment(pulse.lease(), image, &ending, keep).await?;
    attached
}

async fn attempt(
    app: &App,
    job: &Job,
    image: ImageId,
    attachment: Attachment,
    pulse: &mut Pulse,
    turns: &Turns,
) -> Result<(), Failure> {
    let holder = app.stores.find(&Location::new(attachment.url.clone(), None));
    let stores = holder.map(|holder| (holder.name.clone(), holder.store.clone()));
    let mut turn = turns.begin(app, job, pulse, stores.into_iter().collect()).await?;
    if job.is_recovered {
        put_back(app, image).await;
    }
    let work = AssertUnwindSafe(locations::proceed(app, image, attachment)).catch_unwind();
    let done = match pulse.during(turn.during(work)).await {
        Ok(Ok(done)) => done.map_err(|error| Failure::Location(error.message)),
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(why) => Err(why),
    };
    if matches!(done, Err(Failure::Cancelled | Failure::Panicked)) {
        put_back(app, image).await;
    }
    done
}

/// An image that an attempt left in the middle of its verification is queued again.
async fn put_back(app: &App, image: ImageId) {
    if let Err(error) = locations::abandon(app, image).await {
        tracing::warn!(%image, why = %error.message, "an image stays half attached");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(input: Value) -> Task {
        Task::new(TaskType::LocationImport, "p".into(), input, Timestamp::now())
    }

    #[test]
    fn an_order_is_read_back_from_its_task() {
        let image = ImageId::random();
        let claim = json!({"os_hash_algo": "md5", "os_hash_value": "0".repeat(32)});
        for body in
            [json!({"url": "http://x/y"}), json!({"url": "http://x/y", "validation_data": claim})]
        {
            let attachment = Attachment::parse(&body).unwrap();
            let read = order(&task(input(image, &attachment, "here"))).unwrap();
            assert_eq!(read, (image, attachment));
        }
    }

    #[test]
    fn what_was_never_admitted_is_not_done() {
        let input = json!({"image_id": ImageId::random(), "loc_url": "file:///etc/passwd"});
        assert_eq!(order(&task(super::super::order::marked(input.clone(), "here"))), None);
        assert_eq!(order(&task(input)), None);
    }
}
