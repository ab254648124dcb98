//! Removing what puts leave behind that fail or are dropped. A store has one [`Cleanups`], and does
//! its puts under [`Cleanups::guard`].

use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Result;

/// What is being removed. Clones count together.
#[derive(Clone, Default)]
pub struct Cleanups {
    running: Arc<watch::Sender<usize>>,
}

impl Cleanups {
    /// Does `work`. Where it fails, `undo` runs to its end before the error is returned; where the
    /// future is dropped, `undo` runs as a task of its own. When the work is done, it never runs.
    pub async fn guard<T>(
        &self,
        undo: impl Future<Output = ()> + Send + 'static,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut undo = Undo { task: Some(undo.boxed()), running: self.running.clone() };
        let done = work.await;
        match done.is_ok() {
            true => drop(undo.task.take()),
            false => undo.finish().await,
        }
        done
    }

    /// Does `work`, and all of it: whoever stops waiting does not stop it.
    pub async fn through(&self, work: impl Future<Output = ()> + Send + 'static) {
        Undo { task: Some(work.boxed()), running: self.running.clone() }.finish().await;
    }

    /// Does `work` as a task of its own, that is waited for.
    pub fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(Undo { task: Some(work.boxed()), running: self.running.clone() });
    }

    /// Waits until nothing is being removed.
    pub async fn settled(&self) {
        // It fails when the sender is gone, which is ours.
        let _ = self.running.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// What is done unless it is taken out before the end.
struct Undo {
    task: Option<BoxFuture<'static, ()>>,
    running: Arc<watch::Sender<usize>>,
}

impl Undo {
    /// Whoever stops waiting does not stop it.
    async fn finish(mut self) {
        if let Some(task) = self.start()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "what a failed upload left stays until it is swept");
        }
    }

    fn start(&mut self) -> Option<JoinHandle<()>> {
        // Without a runtime the process ends: the next start's sweep has it.
        let runtime = Handle::try_current().ok()?;
        let task = self.task.take()?;
        let counted = Counted::of(self.running.clone());
        Some(runtime.spawn(async move {
            task.await;
            drop(counted);
        }))
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // The task is counted, so that `settled` waits for it.
        drop(self.start());
    }
}

/// One that runs, for as long as it lives.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn of(running: Arc<watch::Sender<usize>>) -> Self {
        running.send_modify(|count| *count += 1);
        Self(running)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future;

    use super::*;
    use crate::Error;

    fn counting() -> (Arc<AtomicUsize>, impl Future<Output = ()> + Send + 'static) {
        let undone = Arc::new(AtomicUsize::new(0));
        let count = undone.clone();
        (undone, async move {
            tokio::task::yield_now().await;
            count.fetch_add(1, Ordering::SeqCst);
        })
    }

    #[tokio::test]
    async fn what_is_done_stays() {
        let (undone, undo) = counting();
        let cleanups = Cleanups::default();
        cleanups.guard(undo, async { Ok(()) }).await.unwrap();
        cleanups.settled().await;
        assert_eq!(undone.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_failure_is_undone_before_it_is_told() {
        let (undone, undo) = counting();
        let failing = async { Err::<(), _>(Error::Full("x".into())) };
        assert!(Cleanups::default().guard(undo, failing).await.is_err());
        assert_eq!(undone.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_is_dropped_is_undone_and_waited_for() {
        let (undone, undo) = counting();
        let cleanups = Cleanups::default();
        let mut put = Box::pin(cleanups.guard(undo, future::pending::<Result<()>>()));
        assert!(futures::poll!(&mut put).is_pending());
        drop(put);
        cleanups.settled().await;
        assert_eq!(undone.load(Ordering::SeqCst), 1);
    }
}
