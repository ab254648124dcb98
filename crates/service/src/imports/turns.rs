//! Whose turn it is: so many tasks work at the same time as there are workers, and those whose store
//! does not answer leave their worker to others.
//!
//! Such a task is aside: it begins, or goes on, at one of its store's seats, of which there are as many
//! as workers, and ends when the store says so. Once its store answers and its bytes move it is back
//! among the workers. So a store that hangs keeps nobody waiting but those who want to go there. It has
//! at most twice as many tasks under way as there are workers: those at its seats, and those that had
//! begun before it hung; for as long as one is aside, none begins at a worker.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use store::Stores;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::failure::Failure;
use super::pulse::{Copied, Pulse};
use super::spread::Target;
use super::told;
use super::worker::Job;
use crate::app::App;
use crate::health::Health;

/// When a store counts as one that does not answer.
struct Pace {
    /// How long a task's bytes stand still before its stores are asked whether they answer.
    look: Duration,
    /// How long a store may take to say so.
    patience: Duration,
    /// How long bytes that have begun to move may stand still although the stores say that they answer.
    stall: Duration,
}

const PACE: Pace = Pace {
    look: Duration::from_secs(2),
    patience: Duration::from_secs(2),
    stall: Duration::from_secs(30),
};

/// Workers, and the seats of each store.
pub(super) struct Turns {
    workers: Semaphore,
    lanes: HashMap<String, Lane>,
    pace: Pace,
}

/// Where tasks are whose store does not answer.
struct Lane {
    store: String,
    seats: Semaphore,
    /// Every task that is aside for this store has a clone.
    aside: Arc<()>,
}

impl Lane {
    fn has_some(&self) -> bool {
        Arc::strong_count(&self.aside) > 1
    }

    fn aside(&self) -> Held<'_> {
        if !self.has_some() {
            let store = &self.store;
            tracing::warn!(store, "the store does not answer: its tasks take no workers");
        }
        Held::Aside(self.aside.clone())
    }
}

impl Turns {
    /// For so many workers.
    pub(super) fn new(workers: usize, stores: &Stores) -> Self {
        let lane = |store: &str| Lane {
            store: store.to_owned(),
            seats: Semaphore::new(workers),
            aside: Arc::default(),
        };
        let lanes = stores.iter().map(|(name, _)| (name.to_owned(), lane(name))).collect();
        Self { workers: Semaphore::new(workers), lanes, pace: PACE }
    }

    /// Waits for a turn of a task that has to do with these stores, its first target first, and says
    /// that it has begun.
    pub(super) async fn begin<'a>(
        &'a self,
        app: &'a App,
        job: &Job,
        pulse: &mut Pulse,
        stores: Vec<Target>,
    ) -> Result<Turn<'a>, Failure> {
        let copied = pulse.copied.clone();
        let turn = pulse.during(self.take(&app.health, stores, copied)).await?;
        pulse.begin(job.is_recovered).await?;
        told::begun(app, job.task.id).await;
        Ok(turn)
    }

    async fn take<'a>(
        &'a self,
        health: &'a Health,
        stores: Vec<Target>,
        copied: Copied,
    ) -> Turn<'a> {
        let (held, seat) = loop {
            let Some(lane) = self.silent(health, &stores).await else {
                let worker = acquired(&self.workers).await;
                // Others may have found out meanwhile.
                if stores.iter().filter_map(|store| self.lane(store)).any(Lane::has_some) {
                    continue;
                }
                break (Held::Worker(worker), None);
            };
            if let Ok(seat) = lane.seats.try_acquire() {
                break (lane.aside(), Some(seat));
            }
            let seat = acquired(&lane.seats).await;
            // It may be back by now.
            if self.silent(health, &stores).await.is_some() {
                break (lane.aside(), Some(seat));
            }
        };
        Turn { turns: self, health, stores, copied, held, seat, bytes: 0, moved: Instant::now() }
    }

    /// The lane of the first of these stores that does not answer.
    async fn silent(&self, health: &Health, stores: &[Target]) -> Option<&Lane> {
        for place in stores {
            let Some(lane) = self.lane(place) else { continue };
            if lane.has_some() || self.is_silent(health, place).await {
                return Some(lane);
            }
        }
        None
    }

    async fn all_answer(&self, health: &Health, stores: &[Target]) -> bool {
        for place in stores {
            if self.is_silent(health, place).await {
                return false;
            }
        }
        true
    }

    /// What else is wrong with a store it says soon, and holds no worker for long.
    async fn is_silent(&self, health: &Health, (name, store): &Target) -> bool {
        let found = health.probed(name, store, self.pace.patience).await;
        match found {
            Some(Ok(())) => false,
            Some(Err(error)) => matches!(*error, store::Error::Unavailable { .. }),
            None => true,
        }
    }

    fn lane(&self, (name, _): &Target) -> Option<&Lane> {
        self.lanes.get(name)
    }
}

async fn acquired(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore.acquire().await.expect("nobody closes it")
}

/// A task's turn, as long as this lives.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    health: &'a Health,
    stores: Vec<Target>,
    copied: Copied,
    held: Held<'a>,
    /// Kept to the end, lest others come after it each time that it leaves for a worker. None for one that
    /// began at a worker, unless there was one free when it went aside.
    seat: Option<SemaphorePermit<'a>>,
    /// What was copied when somebody looked last, and when that was new.
    bytes: u64,
    moved: Instant,
}

enum Held<'a> {
    Worker(#[expect(dead_code, reason = "it is held")] SemaphorePermit<'a>),
    Aside(#[expect(dead_code, reason = "it is held")] Arc<()>),
}

impl Turn<'_> {
    /// Does the work, at a worker or aside, as its stores are.
    pub(super) async fn during<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.look() => {}
            }
        }
    }

    async fn look(&mut self) {
        tokio::time::sleep(self.turns.pace.look).await;
        let bytes = self.copied.bytes();
        let has_moved = bytes != self.bytes;
        if has_moved {
            (self.bytes, self.moved) = (bytes, Instant::now());
        }
        match self.held {
            Held::Worker(_) if has_moved => {}
            Held::Worker(_) => self.step_aside().await,
            // Work on a file moves none.
            Held::Aside(_) if has_moved || bytes == 0 => self.come_back().await,
            Held::Aside(_) => {}
        }
    }

    /// Leaves the worker to others if a store does not answer.
    async fn step_aside(&mut self) {
        let silent = match self.turns.silent(self.health, &self.stores).await {
            // Its stores say that they answer, and one does not take, or give, any bytes.
            None if self.bytes > 0 && self.moved.elapsed() >= self.turns.pace.stall => {
                self.stores.first().and_then(|store| self.turns.lane(store))
            }
            silent => silent,
        };
        if let Some(lane) = silent {
            self.held = lane.aside();
            self.seat = self.seat.take().or_else(|| lane.seats.try_acquire().ok());
        }
    }

    async fn come_back(&mut self) {
        if self.turns.all_answer(self.health, &self.stores).await
            && let Ok(worker) = self.turns.workers.try_acquire()
        {
            self.held = Held::Worker(worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use store::FileStore;
    use tempfile::TempDir;

    use super::*;

    fn stores(dir: &TempDir) -> Stores {
        let open = |name: &str| Arc::new(FileStore::open(&dir.path().join(name)).unwrap());
        Stores::single("a", open("a")).with("b", open("b"))
    }

    fn place(stores: &Stores, name: &str) -> Vec<Target> {
        let (name, store) = stores.get(Some(name)).unwrap();
        vec![(name.to_owned(), store.clone())]
    }

    /// One worker, and stores that answer.
    fn turns(stores: &Stores) -> Turns {
        let (look, patience) = (Duration::from_millis(5), Duration::from_secs(10));
        let pace = Pace { look, patience, stall: Duration::from_millis(20) };
        Turns { pace, ..Turns::new(1, stores) }
    }

    async fn soon<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(10), work).await.unwrap()
    }

    #[tokio::test]
    async fn a_task_whose_bytes_stand_still_leaves_its_worker_until_they_move_again() {
        let dir = tempfile::tempdir().unwrap();
        let (stores, health) = (stores(&dir), Health::default());
        let (turns, (copied, _ends)) = (turns(&stores), Copied::nothing());
        let mut turn = soon(turns.take(&health, place(&stores, "a"), copied.clone())).await;
        copied.add(1);
        let other = async {
            tokio::select! {
                () = turn.during(pending()) => None,
                other = turns.take(&health, place(&stores, "b"), copied.clone()) => Some(other),
            }
        };
        let other = soon(other).await.unwrap();
        assert!(matches!((&turn.held, &other.held), (Held::Aside(_), Held::Worker(_))));
        drop(other);
        let moving = async {
            while turns.workers.available_permits() > 0 {
                copied.add(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        soon(turn.during(moving)).await;
        assert!(matches!(turn.held, Held::Worker(_)));
    }

    #[tokio::test]
    async fn who_comes_for_a_store_of_which_some_are_aside_takes_no_worker() {
        let dir = tempfile::tempdir().unwrap();
        let (stores, health) = (stores(&dir), Health::default());
        let (turns, (copied, _ends)) = (turns(&stores), Copied::nothing());
        let aside = turns.lanes["a"].aside();
        let turn = soon(turns.take(&health, place(&stores, "a"), copied.clone())).await;
        assert!(matches!(turn.held, Held::Aside(_)));
        drop((aside, turn));
        let turn = soon(turns.take(&health, place(&stores, "a"), copied)).await;
        assert!(matches!(turn.held, Held::Worker(_)));
    }
}
