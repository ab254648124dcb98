//! One import, from its first byte to the end of its task.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use catalog::Imported;
use futures::FutureExt;
use image::TaskType;

use super::body::Method;
use super::bring::{bring, concerned, targets};
use super::failure::Failure;
use super::order::Order;
use super::pulse::Pulse;
use super::turns::Turns;
use super::worker::Job;
use super::{alone, legacy, location, pipe, quotas, recovery, told};
use crate::app::App;
use crate::sharing;

/// Runs a job to the end of its task.
pub(super) async fn run(app: Arc<App>, job: Job, turns: Arc<Turns>) {
    let owner = Some(job.task.owner.as_str()).filter(|owner| !owner.is_empty());
    let app = app.acting_for(owner, job.token.as_ref());
    let nudged = job.enlisted.nudged.clone();
    let mut pulse = Pulse::new(app.imports.tasks.clone(), job.lease, nudged);
    let task = pulse.task();
    let ended = match job.task.kind {
        TaskType::ApiImageImport if alone::began(&job.task) => alone::end(&app, &job, &pulse).await,
        TaskType::ApiImageImport => import(&app, &job, &mut pulse, &turns).await,
        TaskType::LocationImport => location::run(&app, &job, &mut pulse, &turns).await,
        TaskType::Import => legacy::run(&app, &job, &mut pulse, &turns).await,
    };
    told::ended(&app, task, &ended).await;
    match ended {
        Ok(()) => tracing::info!(%task, "task done"),
        Err(Failure::Lost) => tracing::warn!(%task, "the task is for whoever takes it over"),
        Err(why) => tracing::warn!(%task, %why, "task failed"),
    }
}

async fn import(app: &App, job: &Job, pulse: &mut Pulse, turns: &Turns) -> Result<(), Failure> {
    let Some(order) = Order::of(&job.task) else {
        let ending = catalog::Ending::Failure(Failure::Unreadable.to_string());
        app.imports.tasks.end_task(pulse.lease(), &ending, app.imports.settings.keep).await?;
        return Err(Failure::Unreadable);
    };
    let brought = attempt(app, job, &order, pulse, turns).await;
    let ended = match brought {
        Ok(imported) => keep(app, job, &order, pulse, imported).await,
        Err(why) => Err(why),
    };
    match ended {
        Err(Failure::Lost) => Err(Failure::Lost),
        Err(why) => {
            abandon(app, &order, pulse, &why).await?;
            Err(why)
        }
        Ok(()) => {
            unstage(app, &order).await;
            Ok(())
        }
    }
}

/// Puts everything back to how it was before the import.
async fn abandon(app: &App, order: &Order, pulse: &Pulse, why: &Failure) -> Result<(), Failure> {
    // Work that is dropped may have reached one store, and not have told yet.
    if matches!(why, Failure::Cancelled | Failure::Panicked) {
        clear(app, order).await;
    }
    // Who takes the task over looks in all of its stores.
    if !app.leftovers.are_noted(order.image) {
        return Err(Failure::Lost);
    }
    let (stores, keep) = (order.named_stores(app), app.imports.settings.keep);
    let records = &app.imports.records;
    records.abandon_import(pulse.lease(), order.image, &stores, &why.to_string(), keep).await?;
    told::abandoned(app, order, why).await;
    unstage(app, order).await;
    Ok(())
}

async fn clear(app: &App, order: &Order) {
    if let Ok(targets) = targets(app, order) {
        recovery::clear(app, &targets, order).await;
    }
}

/// Copies use no staging; what an owner stages meanwhile is not theirs.
async fn unstage(app: &App, order: &Order) {
    if order.method != Method::CopyImage {
        super::staging::unstage(&app.imports, order.image).await;
    }
}

/// Waits for its turn and brings the bytes, while the task is given signs of life. On an error
/// nothing is left in the stores.
async fn attempt(
    app: &App,
    job: &Job,
    order: &Order,
    pulse: &mut Pulse,
    turns: &Turns,
) -> Result<Imported, Failure> {
    let stores = concerned(app, order).await;
    let mut turn = turns.begin(app, job, pulse, stores).await?;
    // What parses hostile bytes may fail in ways that nobody foresaw. The image must not stay
    // `importing` for that.
    let copied = pulse.copied.clone();
    let work = AssertUnwindSafe(bring(app, job, order, copied)).catch_unwind();
    let brought = match pulse.during(turn.during(work)).await {
        Ok(brought) => brought.unwrap_or(Err(Failure::Panicked)),
        Err(why) => {
            if matches!(why, Failure::Lost) {
                note_late(app, order).await;
            }
            return Err(why);
        }
    };
    if brought.is_ok() {
        pulse.tell().await;
    }
    brought
}

/// What comes late of a task that somebody has taken over may be in their way.
async fn note_late(app: &App, order: &Order) {
    for store in &order.stores {
        app.leftovers.note(order.image, store).await;
    }
}

/// Gives the image what was brought. Bytes that it can't take are removed.
async fn keep(
    app: &App,
    job: &Job,
    order: &Order,
    pulse: &Pulse,
    imported: Imported,
) -> Result<(), Failure> {
    let (lease, image, keep) = (pulse.lease(), order.image, app.imports.settings.keep);
    let budget = quotas::budget(app, job);
    let finished =
        app.imports.records.finish_import(lease, image, &imported, budget.as_ref(), keep).await;
    let error = match finished {
        Ok(()) => {
            sharing::announce(app, image).await;
            told::imported(app, order, &imported).await;
            return Ok(());
        }
        Err(error) => error,
    };
    if matches!(error, catalog::Error::LeaseLost(_)) {
        note_late(app, order).await;
    }
    // Otherwise the database may have done it and not have said so: whoever takes the task over looks.
    if error.is_refusal() {
        pipe::remove(app, image, &imported.locations).await;
        return Err(error.into());
    }
    tracing::error!(image = %order.image, %error, "an import ends with its recovery");
    Err(Failure::Lost)
}
