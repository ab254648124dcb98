//! Tasks that nobody works on any more: those that this service had begun before it was ended, and
//! those of services that give no sign of life.

use std::sync::Arc;
use std::time::Duration;

use image::{Image, Task, Timestamp};
use store::Store;

use super::body::Method;
use super::order::{self, Order};
use super::pulse::LEASE;
use super::spread::Target;
use super::worker::Job;
use crate::app::App;

/// Takes over what nobody works on.
pub(super) async fn abandoned(app: &Arc<App>, started: Timestamp) -> Vec<Job> {
    let imports = &app.imports;
    let unfinished = match imports.tasks.unfinished_tasks().await {
        Ok(tasks) => tasks,
        Err(error) => {
            tracing::warn!(%error, "abandoned tasks can't be looked for");
            return Vec::new();
        }
    };
    let mut jobs = Vec::new();
    for task in unfinished {
        let is_ours = order::worker(&task) == Some(imports.settings.worker.as_str());
        if imports.is_running(task.id) || !is_abandoned(&task, is_ours, started) {
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

/// Tasks of Glance's own are never ours to finish.
fn is_abandoned(task: &Task, is_ours: bool, started: Timestamp) -> bool {
    if order::worker(task).is_none() {
        return false;
    }
    let earlier = is_ours && task.updated_at < started;
    earlier || age(task.updated_at) > LEASE
}

fn age(then: Timestamp) -> Duration {
    let microseconds = Timestamp::now().as_microsecond().saturating_sub(then.as_microsecond());
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

/// Removes what the earlier attempt may have left in the stores. Where a store holds bytes that the
/// image's record names, nothing is removed: two stores may share a directory.
pub(super) async fn clear(app: &App, image: &Image, targets: &[Target], order: &Order) {
    for (name, store) in targets {
        if image.locations.iter().any(|location| store.holds(&location.uri)) {
            continue;
        }
        if let Err(error) = store.discard(order.image).await {
            tracing::error!(image = %order.image, store = name, %error, "leftover stays");
        }
    }
    let downloads = !matches!(order.method, Method::GlanceDirect | Method::CopyImage);
    if downloads && let Err(error) = app.imports.staging.discard(order.image).await {
        tracing::error!(image = %order.image, %error, "staged leftover stays");
    }
}

#[cfg(test)]
mod tests {
    use image::TaskType;
    use serde_json::json;

    use super::*;

    fn task(worker: Option<&str>, seconds_ago: i64) -> Task {
        let input = match worker {
            Some(worker) => order::marked(json!({}), worker),
            None => json!({}),
        };
        let now = Timestamp::now().as_microsecond();
        let then = Timestamp::from_microsecond(now - seconds_ago * 1_000_000);
        Task::new(TaskType::Import, "p".into(), input, then)
    }

    #[test]
    fn only_what_nobody_works_on_is_taken_over() {
        let started = Timestamp::from_microsecond(Timestamp::now().as_microsecond() - 5_000_000);
        let cases = [
            (task(Some("us"), 10), true, true, "ours, from before the start"),
            (task(Some("us"), 1), true, false, "ours, from now"),
            (task(Some("them"), 10), false, false, "theirs, and alive"),
            (task(Some("them"), 60), false, true, "theirs, and dead"),
            (task(None, 100_000), false, false, "Glance's"),
        ];
        for (task, is_ours, expected, why) in cases {
            assert_eq!(is_abandoned(&task, is_ours, started), expected, "{why}");
        }
    }
}
