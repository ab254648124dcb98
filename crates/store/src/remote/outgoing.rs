//! Bodies on their way out. A server that takes one is heard of in nothing but that it takes it: so
//! however long that lasts, it ends only where nothing is taken for too long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::Body;
use tokio::sync::watch;
use tokio::time::timeout;

/// A body, and how it gets on.
pub(crate) struct Outgoing {
    pub(super) body: Body,
    pub(super) progress: Progress,
}

impl Outgoing {
    /// A body of these pieces. Whoever waits for them says so by `progress`.
    pub(crate) fn of<E>(
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        progress: &Progress,
    ) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let taken = progress.clone();
        // It is asked for another piece when the one before is on the connection.
        let body = Body::wrap_stream(pieces.inspect(move |_| taken.is_made()));
        Self { body, progress: progress.clone() }
    }
}

/// How a body gets on. Clones are one.
#[derive(Clone)]
pub(crate) struct Progress(Arc<watch::Sender<Turn>>);

/// Who is waited for.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Source,
    Server,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Turn::Server)))
    }
}

impl Progress {
    /// The server can't take any more: that has to come.
    pub(super) fn waits_for_source(&self) {
        self.0.send_replace(Turn::Source);
    }

    /// There is something for the server to take, or it has all.
    pub(super) fn waits_for_server(&self) {
        self.0.send_replace(Turn::Server);
    }

    fn is_made(&self) {
        self.0.send_modify(|_| {});
    }

    /// Waits until the server was waited for without anything taken, for so long.
    pub(super) async fn stalls(&self, limit: Duration) {
        let mut turns = self.0.subscribe();
        loop {
            let turn = *turns.borrow_and_update();
            // The sender is this one's.
            let next = turns.changed();
            match turn {
                Turn::Source => drop(next.await),
                Turn::Server if timeout(limit, next).await.is_err() => return,
                Turn::Server => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_server_that_takes_nothing_stalls() {
        Progress::default().stalls(LIMIT).await;
    }

    #[tokio::test]
    async fn a_server_that_takes_something_does_not() {
        let progress = Progress::default();
        let mut stalls = Box::pin(progress.stalls(LIMIT));
        for _ in 0..5 {
            assert!(futures::poll!(&mut stalls).is_pending());
            // It is as late as can be.
            std::thread::sleep(LIMIT);
            progress.is_made();
        }
        assert!(futures::poll!(&mut stalls).is_pending());
        stalls.await;
    }

    #[tokio::test]
    async fn a_server_is_not_waited_for_while_the_source_is() {
        let progress = Progress::default();
        progress.waits_for_source();
        let mut stalls = Box::pin(progress.stalls(LIMIT));
        assert!(timeout(10 * LIMIT, &mut stalls).await.is_err());
        progress.waits_for_server();
        assert!(stalls.as_mut().now_or_never().is_none());
        stalls.await;
    }
}
