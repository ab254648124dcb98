//! Sending what a notifier took, in order; and connecting again when the broker was away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::message::Priority;
use crate::rabbit::{Broken, Rabbit};
use crate::settings::Settings;

/// Before the first new attempt; each further one waits twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// Between attempts, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long what waits may take once the service stops.
const GRACE: Duration = Duration::from_secs(5);

/// A message for the broker.
pub(crate) struct Queued {
    pub(crate) priority: Priority,
    pub(crate) body: Vec<u8>,
}

/// Sends notifications to the broker.
pub struct Publisher {
    settings: Settings,
    queue: mpsc::Receiver<Queued>,
    dropped: Arc<AtomicU64>,
    connection: Option<Rabbit>,
    /// What is being sent: it may be interrupted, and is not lost by that.
    current: Option<Queued>,
}

impl Publisher {
    pub(crate) fn new(
        settings: Settings,
        queue: mpsc::Receiver<Queued>,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self { settings, queue, dropped, connection: None, current: None }
    }

    /// Sends until `stop` resolves, and then for at most 5 s what waits still.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.send_all() => return,
            () = stop => {}
        }
        self.queue.close();
        if tokio::time::timeout(GRACE, self.send_all()).await.is_err() {
            tracing::warn!(waiting = self.queue.len() + 1, "notifications are lost at the stop");
        }
    }

    /// Ends when the queue is closed and empty.
    async fn send_all(&mut self) {
        loop {
            if self.current.is_none() {
                self.current = self.queue.recv().await;
            }
            if self.current.is_none() {
                return;
            }
            self.send().await;
            self.current = None;
        }
    }

    /// Sends the current message, as often as `retry` allows.
    async fn send(&mut self) {
        let mut pause = PAUSE;
        let mut attempts = 0_u32;
        while let Err(error) = self.attempt().await {
            self.connection = None;
            attempts = attempts.saturating_add(1);
            if self.settings.retry.is_some_and(|retry| attempts > retry) {
                let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::error!(%error, dropped, "a notification can't be sent");
                return;
            }
            tracing::warn!(%error, attempts, "the broker of notifications is away");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&mut self) -> Result<(), Broken> {
        if self.connection.is_none() {
            self.connection = Some(Rabbit::connect(&self.settings).await?);
        }
        match (&mut self.connection, &self.current) {
            (Some(rabbit), Some(queued)) => rabbit.publish(&self.settings, queued).await,
            _ => Ok(()),
        }
    }
}
