//! Requests of an upload that are seen to their end, whoever stops waiting. What they make on a
//! server is known then, and can be undone: one that is given up in the middle may be done after
//! that.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::{Error, Result};

/// What is under way, some of it at once. Clones are the same.
#[derive(Clone)]
pub(crate) struct Pending {
    places: Arc<Semaphore>,
    at_once: u32,
    failed: Arc<Mutex<Option<Error>>>,
}

impl Pending {
    pub(crate) fn at_once(at_once: u32) -> Self {
        let places = Arc::new(Semaphore::new(at_once as usize));
        Self { places, at_once, failed: Arc::default() }
    }

    /// Begins something, once there is a place for it. Errors: what went wrong before.
    pub(crate) async fn run(
        &self,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        let place = self.places.clone().acquire_owned().await.expect("nobody closes it");
        self.failure()?;
        let failed = self.failed.clone();
        tokio::spawn(async move {
            if let Err(error) = work.await {
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            drop(place);
        });
        Ok(())
    }

    /// Waits until nothing is under way. Errors: what went wrong.
    pub(crate) async fn settled(&self) -> Result<()> {
        drop(self.places.acquire_many(self.at_once).await);
        self.failure()
    }

    fn failure(&self) -> Result<()> {
        match self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_is_begun_is_done_before_it_is_settled() {
        let (pending, done) = (Pending::at_once(2), Arc::new(AtomicUsize::new(0)));
        let (go, gone) = oneshot::channel::<()>();
        let count = done.clone();
        pending
            .run(async move {
                gone.await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .await
            .unwrap();
        // Who waits, and stops, ends nothing.
        assert!(pending.settled().now_or_never().is_none());
        go.send(()).unwrap();
        pending.settled().await.unwrap();
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_once() {
        let pending = Pending::at_once(1);
        pending.run(async { Err(Error::Full("x".into())) }).await.unwrap();
        assert!(pending.run(async { Ok(()) }).await.is_err());
        pending.settled().await.unwrap();
    }
}
