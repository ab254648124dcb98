//! Changes: transactions that are repeated when another one was in their way.

use std::time::{Duration, Instant};

use super::dialect;

/// Runs work with a transaction of its own, which it ends; again when the database undid it because
/// another transaction was in its way.
macro_rules! change {
    ($catalog:expr, $db:ident => $work:expr) => {{
        let mut tries = $crate::sql::change::Tries::new($catalog.repetitions);
        loop {
            let done = async {
                #[allow(unused_mut)]
                let mut $db = $catalog.begin().await?;
                $work.await
            };
            match done.await {
                Err($crate::Error::Unavailable($crate::Cause::Database(error)))
                    if tries.again(&error).await => {}
                done => break done,
            }
        }
    }};
}

/// How long is waited before the first repetition; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(5);

/// How long is waited at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// After so long nothing is tried again: a server waits for a lock for most of a minute before it
/// gives up.
const LIMIT: Duration = Duration::from_secs(60);

/// The tries that a change has left; `None` is for no limit.
pub(super) struct Tries {
    left: Option<u32>,
    pause: Duration,
    begun: Instant,
}

impl Tries {
    pub(super) fn new(repetitions: Option<u32>) -> Self {
        Self { left: repetitions, pause: PAUSE, begun: Instant::now() }
    }

    /// Whether the change is to be tried again now, after it failed so.
    pub(super) async fn again(&mut self, error: &sqlx::Error) -> bool {
        let is_over = self.left == Some(0) || self.begun.elapsed() >= LIMIT;
        if is_over || !dialect::is_lost_race(error) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
