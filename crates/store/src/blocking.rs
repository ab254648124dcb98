//! Work that waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::{Error, Result};

/// Runs what would block on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(spawn_blocking(work).await)
}

/// What a thread has found out; its panic goes on here.
pub(crate) fn joined<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Threads of one medium, at most: the runtime has 512 for all. Enough for as many disks as a
/// directory may lie on.
const MOST: usize = 64;

/// How long work waits for a thread while no call ends: one that is slow is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The threads that may be in calls of one medium at the same time. One that hangs, as a network file
/// system does, keeps these, and none of the others'.
#[derive(Clone)]
pub(crate) struct Threads {
    medium: Arc<str>,
    free: Arc<Semaphore>,
    /// How many calls have ended.
    ended: Arc<AtomicU64>,
    patience: Duration,
}

impl Threads {
    /// `medium` is its name in errors.
    pub(crate) fn of(medium: &str) -> Self {
        let free = Arc::new(Semaphore::new(MOST));
        Self { medium: medium.into(), free, ended: Arc::default(), patience: PATIENCE }
    }

    /// Runs what would block. Errors: those of `work`; `Unavailable` where no thread becomes free.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut free = std::pin::pin!(self.free.clone().acquire_owned());
        loop {
            let ended = self.ended.load(Ordering::Relaxed);
            match tokio::time::timeout(self.patience, &mut free).await {
                Ok(Ok(permit)) => {
                    return joined(spawn_blocking(self.holding(permit, work)).await);
                }
                Err(_) if self.ended.load(Ordering::Relaxed) != ended => {}
                // It is never closed.
                Ok(Err(_)) | Err(_) => return Err(self.hanging()),
            }
        }
    }

    /// The same, for somebody who waits for it later.
    pub(crate) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> JoinHandle<Result<T>> {
        match self.free.clone().try_acquire_owned() {
            Ok(permit) => spawn_blocking(self.holding(permit, work)),
            Err(_) => {
                let threads = self.clone();
                tokio::spawn(async move { threads.run(work).await })
            }
        }
    }

    fn holding<T, W: FnOnce() -> T>(
        &self,
        permit: OwnedSemaphorePermit,
        work: W,
    ) -> impl FnOnce() -> T + use<T, W> {
        let ended = self.ended.clone();
        move || {
            let done = work();
            ended.fetch_add(1, Ordering::Relaxed);
            drop(permit);
            done
        }
    }

    fn hanging(&self) -> Error {
        let why = format!("none of {MOST} calls that are under way there has ended for a while");
        Error::Unavailable { store: self.medium.to_string(), why }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_medium_that_hangs_keeps_its_own_threads_only() {
        let threads = Threads { patience: Duration::from_millis(50), ..Threads::of("/srv/nfs") };
        let (go_on, hanging) = mpsc::channel::<()>();
        let hanging = Arc::new(std::sync::Mutex::new(hanging));
        let calls: Vec<_> = (0..MOST)
            .map(|_| {
                let hanging = hanging.clone();
                threads.begin(move || {
                    // It ends with the sender.
                    let _ended = hanging.lock().unwrap().recv();
                    Ok(())
                })
            })
            .collect();
        for error in [
            threads.run(|| Ok(())).await.unwrap_err(),
            joined(threads.begin(|| Ok(())).await).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
            assert!(error.to_string().contains("/srv/nfs"), "{error}");
        }
        Threads::of("/srv/images").run(|| Ok(())).await.unwrap();
        blocking(|| ()).await;
        drop(go_on);
        for call in calls {
            joined(call.await).unwrap();
        }
        threads.run(|| Ok(())).await.unwrap();
        joined(threads.begin(|| Ok(())).await).unwrap();
    }
}
