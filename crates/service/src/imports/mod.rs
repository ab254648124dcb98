//! Imports: bytes that come to an image otherwise than by an upload, and the tasks that bring them.
//!
//! `POST …/import` is judged by `admission`, which leaves a task in the catalog and a job with the
//! `worker`. The worker runs jobs (`run`), each at its turn (`turns`): a `source` gives the bytes,
//! `plugins` may change them, `spread` writes them into all stores at once. While a job runs, its
//! `pulse` gives the task signs of life; what stops giving them is taken over (`recovery`) by any
//! service on the same catalog.
//!
//! Reference: "Interoperable image import" of the Image API v2, and Glance 33.

pub(crate) mod admission;
mod alone;
mod body;
mod bring;
mod clones;
mod failure;
mod groups;
mod inject;
mod legacy;
mod location;
mod order;
mod pipe;
mod plugins;
mod proxy;
mod pulse;
mod quotas;
mod recovery;
mod run;
mod settings;
mod signed;
mod source;
mod spread;
mod staging;
mod told;
mod turns;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::Tasks;
use image::TaskId;
use store::FileStore;
use tokio::sync::{Notify, mpsc};

pub(crate) use admission::admit;
pub(crate) use alone::alone;
pub(crate) use legacy::start as start_legacy;
pub(crate) use location::{is_pending as is_attaching, start as start_attachment};
pub(crate) use order::WORKER;
pub(crate) use proxy::deleted_elsewhere;
pub use settings::ImportSettings;
pub use staging::sweep_staging;
pub(crate) use staging::{forget, stage, unstage};
pub use worker::work;

use worker::Job;

/// Jobs that wait to be taken by the worker, at most; whoever brings another one waits.
const QUEUE: usize = 64;

/// What imports need, beside what every request does.
pub struct Imports {
    pub(crate) settings: ImportSettings,
    pub(crate) staging: FileStore,
    pub(crate) tasks: Arc<dyn Tasks>,
    pub(crate) records: Arc<dyn catalog::Imports>,
    jobs: mpsc::Sender<Job>,
    waiting: Mutex<Option<mpsc::Receiver<Job>>>,
    /// Those that run here, and how they are told to look after themselves.
    running: Mutex<HashMap<TaskId, Arc<Notify>>>,
}

impl Imports {
    /// Imports into the images of a catalog. They run once [`work`] does.
    pub fn new(
        settings: ImportSettings,
        staging: FileStore,
        catalog: Arc<dyn catalog::Records>,
    ) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        Self {
            settings,
            staging,
            tasks: catalog.clone(),
            records: catalog,
            jobs,
            waiting: Mutex::new(Some(waiting)),
            running: Mutex::default(),
        }
    }

    /// Hands a job to the worker. When the service is stopping nobody takes it: its task is found
    /// at the next start.
    async fn submit(&self, job: Job) {
        let task = job.task.id;
        if self.jobs.send(job).await.is_err() {
            tracing::warn!(%task, "the task begins with the next start");
        }
    }

    /// Makes a task that runs here look at once whether it is to go on.
    pub(crate) fn nudge(&self, task: TaskId) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nudged) = running.get(&task) {
            nudged.notify_one();
        }
    }

    fn enlist(self: &Arc<Self>, task: TaskId) -> Enlisted {
        let nudged = Arc::new(Notify::new());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(task, nudged.clone());
        Enlisted { imports: self.clone(), task, nudged }
    }

    fn is_running(&self, task: TaskId) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&task)
    }
}

/// A task that runs here, as long as this lives.
struct Enlisted {
    imports: Arc<Imports>,
    task: TaskId,
    nudged: Arc<Notify>,
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        let mut running = self.imports.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.task);
    }
}
