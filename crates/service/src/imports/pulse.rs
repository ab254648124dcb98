//! The signs of life of a running task.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog::{Lease, Renewed, Tasks};
use image::TaskId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::failure::Failure;
use crate::watch::LEASE;

/// From one sign of life to the next, while work goes on.
const BEAT: Duration = Duration::from_secs(3);

/// The same while a task waits for its turn: there may be many of those.
const WAITING: Duration = Duration::from_secs(10);

/// Bytes that have been copied, as the task's message tells it.
#[derive(Debug, Clone, Default)]
pub(super) struct Copied(Arc<AtomicU64>);

impl Copied {
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// In Glance's words; nothing before there is something to tell.
    fn message(&self) -> String {
        match self.0.load(Ordering::Relaxed) {
            0 => String::new(),
            bytes => format!("Copied {} MiB", bytes >> 20),
        }
    }
}

/// Gives a task signs of life while work goes on.
pub(super) struct Pulse {
    tasks: Arc<dyn Tasks>,
    lease: Lease,
    nudged: Arc<Notify>,
    pub(super) copied: Copied,
    beat: Duration,
    last: Instant,
}

impl Pulse {
    pub(super) fn new(tasks: Arc<dyn Tasks>, lease: Lease, nudged: Arc<Notify>) -> Self {
        let copied = Copied::default();
        Self { tasks, lease, nudged, copied, beat: WAITING, last: Instant::now() }
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(super) fn task(&self) -> TaskId {
        self.lease.task
    }

    /// Says that work on the task begins; one that was taken over has begun before.
    pub(super) async fn begin(&mut self, is_recovered: bool) -> Result<(), Failure> {
        self.beat = BEAT;
        if is_recovered {
            return Ok(());
        }
        self.tasks.begin_task(&mut self.lease).await.map_err(Failure::from)
    }

    /// Does the work, which is dropped when somebody wants it to end (`Cancelled`) or has taken it
    /// over (`Lost`).
    pub(super) async fn during<F: Future>(&mut self, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let nudged = self.nudged.clone();
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = nudged.notified() => {}
                () = tokio::time::sleep(self.beat) => {}
            }
            self.give().await?;
        }
    }

    /// Tells how much was copied in the end. What follows notices when the lease is lost.
    pub(super) async fn tell(&mut self) {
        if let Err(why) = self.give().await {
            tracing::debug!(task = %self.task(), %why, "the last progress of a task is not told");
        }
    }

    async fn give(&mut self) -> Result<(), Failure> {
        let message = self.copied.message();
        match self.tasks.renew_task(&mut self.lease, &message).await {
            Ok(Renewed::Held) => {
                self.last = Instant::now();
                Ok(())
            }
            Ok(Renewed::Cancelled) => Err(Failure::Cancelled),
            // The database may be back before anybody takes the task over.
            Err(catalog::Error::Unavailable(error)) if self.last.elapsed() < LEASE => {
                tracing::warn!(task = %self.task(), %error, "no sign of life can be given");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
