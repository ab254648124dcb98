//! Tasks that nobody works on any more: those that this service had begun before it was ended, and
//! those of services that give no sign of life.

use std::sync::Arc;
use std::time::Instant;

use image::{TaskId, Timestamp};
use store::Store;

use super::body::Method;
use super::order::{self, Order};
use super::pipe;
use super::spread::Target;
use super::worker::Job;
use crate::app::App;
use crate::watch::Watch;

/// Takes over what nobody works on.
pub(super) async fn abandoned(
    app: &Arc<App>,
    started: Timestamp,
    watch: &mut Watch<TaskId>,
) -> Vec<Job> {
    let imports = &app.imports;
    let unfinished = match imports.tasks.unfinished_tasks().await {
        Ok(tasks) => tasks,
        Err(error) => {
            tracing::warn!(%error, "abandoned tasks can't be looked for");
            return Vec::new();
        }
    };
    let signs = unfinished.iter().map(|task| (task.id, task.updated_at));
    let silent = watch.silent(signs, Instant::now());
    let mut jobs = Vec::new();
    for task in unfinished {
        let is_ours = order::worker(&task) == Some(imports.settings.worker.as_str());
        let is_earlier = is_ours && task.updated_at < started;
        let is_nobodys = is_earlier || silent.contains(&task.id);
        // Tasks of Glance's own are never ours to finish.
        if imports.is_running(task.id) || !is_nobodys || order::worker(&task).is_none() {
            continue;
        }
        match imports.tasks.take_task_over(&task).await {
            Ok(lease) => {
                tracing::warn!(task = %task.id, "taking over a task that nobody works on");
                let enlisted = imports.enlist(task.id);
                jobs.push(Job { task, lease, token: None, enlisted, is_recovered: true });
            }
            // Somebody was quicker, or its holder is alive after all.
            Err(error) => tracing::debug!(task = %task.id, %error, "the task is not taken over"),
        }
    }
    jobs
}

/// Removes what the earlier attempt may have left in the stores; what a store has that is away is
/// noted.
pub(super) async fn clear(app: &App, targets: &[Target], order: &Order) {
    pipe::clear(app, order.image, targets).await;
    let downloads = !matches!(order.method, Method::GlanceDirect | Method::CopyImage);
    if downloads && let Err(error) = app.imports.staging.discard(order.image).await {
        tracing::error!(image = %order.image, %error, "staged leftover stays");
    }
}
