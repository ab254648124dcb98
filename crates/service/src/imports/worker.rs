//! The worker: owns every task that runs in this service.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use catalog::Lease;
use image::{Task, Timestamp};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::turns::Turns;
use super::{Enlisted, recovery, run};
use crate::app::App;
use crate::keys::Token;
use crate::watch::Watch;

/// How often abandoned and expired tasks are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// A task that is to be run.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) lease: Lease,
    /// The caller's, for those imports that ask others in the caller's name. Never written
    /// anywhere, so a job that was taken over has none.
    pub(super) token: Option<Token>,
    pub(super) enlisted: Enlisted,
    /// Whether somebody has begun with it before.
    pub(super) is_recovered: bool,
}

/// Runs tasks for as long as it is polled; those that run end with it, and are taken up again at
/// the next start, or by another service. Call it once.
pub async fn work(app: Arc<App>) {
    let waiting = app.imports.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut waiting) = waiting else { return };
    let started = Timestamp::now();
    let turns = Arc::new(Turns::new(app.imports.settings.workers, &app.stores));
    let mut running = JoinSet::new();
    let mut watch = Watch::default();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(job) = waiting.recv() => {
                running.spawn(run::run(app.clone(), job, turns.clone()));
            }
            Some(ended) = running.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task ended badly");
                }
            }
            _ = look.tick() => {
                expire(&app).await;
                for job in recovery::abandoned(&app, started, &mut watch).await {
                    running.spawn(run::run(app.clone(), job, turns.clone()));
                }
            }
        }
    }
}

async fn expire(app: &App) {
    match app.imports.tasks.expire_tasks().await {
        Ok(0) => {}
        Ok(tasks) => tracing::info!(tasks, "tasks deleted whose time was over"),
        Err(error) => tracing::warn!(%error, "old tasks can't be deleted"),
    }
}
