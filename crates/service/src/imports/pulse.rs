//! The signs of life of a running task.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog::{Lease, Renewed, Tasks};
use futures::future::Either;
use futures::{StreamExt, future, stream};
use image::TaskId;
use store::Source;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::failure::Failure;
use crate::watch::LEASE;

/// From one sign of life to the next, while work goes on.
const BEAT: Duration = Duration::from_secs(3);

/// The same while a task waits for its turn: there may be many of those.
const WAITING: Duration = Duration::from_secs(10);

/// What work says of itself: the bytes that it has copied, as the task's message tells it, and that all
/// of them have come.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    bytes: Arc<AtomicU64>,
    ends: mpsc::Sender<oneshot::Sender<()>>,
}

impl Copied {
    /// Nothing yet, and who is asked for signs of life.
    pub(super) fn nothing() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (ends, asked) = mpsc::channel(1);
        (Self { bytes: Arc::default(), ends }, asked)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits for a sign of life: work that somebody has taken over is dropped here, before it does
    /// something that would be in their way.
    pub(super) async fn held(&self) {
        let (given, is_given) = oneshot::channel();
        if self.ends.send(given).await.is_ok() {
            let _held = is_given.await;
        }
    }

    /// The source, whose end waits for that, before a store takes its bytes for whole.
    pub(super) fn guarded(&self, source: Source) -> Source {
        let copied = self.clone();
        let end = stream::once(async move { copied.held().await });
        source.chain(end.filter_map(|()| future::ready(None))).boxed()
    }

    /// In Glance's words; nothing before there is something to tell.
    fn message(&self) -> String {
        match self.bytes() {
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
    ends: mpsc::Receiver<oneshot::Sender<()>>,
    beat: Duration,
    last: Instant,
}

impl Pulse {
    pub(super) fn new(tasks: Arc<dyn Tasks>, lease: Lease, nudged: Arc<Notify>) -> Self {
        let (copied, ends) = Copied::nothing();
        Self { tasks, lease, nudged, copied, ends, beat: WAITING, last: Instant::now() }
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
        loop {
            match self.tasks.begin_task(&mut self.lease).await {
                Err(catalog::Error::Unavailable(error)) if self.last.elapsed() < LEASE => {
                    tracing::warn!(task = %self.task(), %error, "a task can't begin yet");
                    tokio::time::sleep(self.beat).await;
                }
                begun => return begun.map_err(Failure::from),
            }
        }
    }

    /// Does the work, which is dropped when somebody wants it to end (`Cancelled`) or has taken it
    /// over (`Lost`).
    pub(super) async fn during<F: Future>(&mut self, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let (task, nudged) = (self.task(), self.nudged.clone());
        loop {
            let end = tokio::select! {
                done = &mut work => return Ok(done),
                () = nudged.notified() => None,
                () = tokio::time::sleep(self.beat) => None,
                end = self.ends.recv() => end,
            };
            // The work goes on meanwhile, or a sign of life waits for a connection to the database that
            // is the work's turn, and the work for the sign's end.
            match future::select(pin!(self.give()), &mut work).await {
                Either::Left((given, _)) => given?,
                Either::Right((done, given)) => {
                    if let Err(why) = given.await {
                        untold(task, &why);
                    }
                    return Ok(done);
                }
            }
            if let Some(end) = end {
                // Whoever waits for it may have gone.
                let _gone = end.send(());
            }
        }
    }

    /// Tells how much was copied in the end.
    pub(super) async fn tell(&mut self) {
        let task = self.task();
        if let Err(why) = self.give().await {
            untold(task, &why);
        }
    }

    async fn give(&mut self) -> Result<(), Failure> {
        let is_repeated = self.lease.unheard.is_some();
        self.give_one().await?;
        // Others may have seen the one that is repeated when it was given first.
        match is_repeated && self.lease.unheard.is_none() {
            true => self.give_one().await,
            false => Ok(()),
        }
    }

    async fn give_one(&mut self) -> Result<(), Failure> {
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

/// The work is done all the same: what follows notices when the lease is lost.
fn untold(task: TaskId, why: &Failure) {
    tracing::debug!(%task, %why, "the last progress of a task is not told");
}

#[cfg(test)]
mod tests {
    use catalog::sql::SqlCatalog;
    use image::{Task, TaskType, Timestamp};
    use serde_json::json;

    use super::*;

    /// A task of this service, whose last sign of life is of long ago.
    async fn held(catalog: &Arc<SqlCatalog>) -> (Pulse, Task) {
        let long_ago = Timestamp::from_microsecond(1_700_000_000_000_000);
        let task = Task::new(TaskType::ApiImageImport, "owner".into(), json!({}), long_ago);
        catalog.create_task(&task).await.unwrap();
        (Pulse::new(catalog.clone(), Lease::of(&task), Arc::default()), task)
    }

    #[tokio::test]
    async fn work_goes_on_while_its_task_is_held() {
        let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
        let (mut pulse, task) = held(&catalog).await;
        let copied = pulse.copied.clone();
        let work = async {
            copied.held().await;
            copied.held().await;
            "done"
        };
        assert_eq!(pulse.during(work).await.unwrap(), "done");
        assert!(catalog.task(task.id).await.unwrap().updated_at > task.updated_at);
    }

    #[tokio::test]
    async fn work_whose_task_was_taken_over_gets_no_further() {
        let catalog = Arc::new(SqlCatalog::memory().await.unwrap());
        let (mut pulse, task) = held(&catalog).await;
        let (copied, mut went_on) = (pulse.copied.clone(), false);
        let work = async {
            catalog.take_task_over(&task).await.unwrap();
            copied.held().await;
            went_on = true;
        };
        assert!(matches!(pulse.during(work).await, Err(Failure::Lost)));
        assert!(!went_on);
    }
}
