//! Who is told of tasks and of the images that they bring: what Glance tells, in its order.

use catalog::{Imported, Viewer};
use image::{Image, Task, TaskId};
use serde_json::json;

use super::failure::Failure;
use super::order::Order;
use crate::app::App;
use crate::notices;

/// A task is there.
pub(super) fn created(app: &App, task: &Task) {
    app.notifier.info("task.create", || notices::tasks::task(task));
}

/// Somebody works on it.
pub(super) async fn begun(app: &App, task: TaskId) {
    of_task(app, task, &["task.processing"]).await;
}

/// It has ended here.
pub(super) async fn ended(app: &App, task: TaskId, ended: &Result<(), Failure>) {
    match ended {
        Ok(()) => of_task(app, task, &["task.success", "task.run"]).await,
        Err(Failure::Lost) => {}
        Err(_) => of_task(app, task, &["task.failure"]).await,
    }
}

async fn of_task(app: &App, task: TaskId, events: &[&str]) {
    if !app.notifier.is_on() {
        return;
    }
    if let Ok(task) = app.imports.tasks.task(task).await {
        for event in events {
            app.notifier.info(event, || notices::tasks::task(&task));
        }
    }
}

/// Bytes of an image begin to come, into these stores.
pub(super) fn preparing(app: &App, image: &Image, order: &Order) {
    app.notifier.info("image.update", || notices::image(image));
    for store in &order.stores {
        app.notifier.info("image.prepare", || notices::preparing(image, store));
    }
}

/// They have come: once for each store that has them.
pub(super) async fn imported(app: &App, order: &Order, imported: &Imported) {
    let Some(image) = image(app, order).await else { return };
    for _ in &imported.locations {
        app.notifier.info("image.upload", || notices::uploaded(&image));
    }
    if imported.data.is_some() {
        app.notifier.info("image.activate", || notices::image(&image));
    }
    app.notifier.info("image.update", || notices::image(&image));
}

/// They have not.
pub(super) async fn abandoned(app: &App, order: &Order, why: &Failure) {
    let id = order.image;
    app.notifier.error("image.upload", || {
        json!(format!("Failed to upload image data for image {id} due to internal error: {why}"))
    });
    notices::changed(app, id).await;
}

/// The image as it is now, where somebody wants to know.
async fn image(app: &App, order: &Order) -> Option<Image> {
    if !app.notifier.is_on() {
        return None;
    }
    app.catalog.get(&Viewer::service(), order.image).await.ok()
}
