//! The registry: answers clients from the catalog that it holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::answers::Answers;
use super::door::Door;
use super::frame::{LONGEST_ANSWER, LONGEST_CALL};
use super::session;
use super::stream::Way;
use crate::Records;

/// Connections that are answered at the same time, at most.
pub(super) const CONNECTIONS: usize = 4096;

/// Bytes of all calls that arrive or are worked on, at most.
const MEMORY: usize = 16 * LONGEST_CALL;

/// Bytes of all answers that were given and are not sent yet, at most, but for those that grow with
/// the catalog; of these there are so many at the same time.
const ANSWERS: usize = 2 * LONGEST_ANSWER;
const SCANS: usize = 2;

/// How long calls that are under way may take when the registry stops.
const FAREWELL: Duration = Duration::from_secs(10);

/// A catalog that others ask for.
pub struct Registry {
    pub(super) records: Arc<dyn Records>,
    pub(super) answers: Answers,
    /// A number of this process: what it remembers is gone with it.
    pub(super) instance: [u8; 16],
    pub(super) door: Door,
    /// A permit is a connection.
    pub(super) room: Semaphore,
    /// A permit is a byte of a call.
    pub(super) memory: Arc<Semaphore>,
    /// A permit is a byte of an answer.
    pub(super) unsent: Semaphore,
    /// A permit is an answer that grows with the catalog.
    pub(super) scans: Semaphore,
}

impl Registry {
    /// A registry that answers from a catalog.
    pub fn new(records: Arc<dyn Records>) -> Self {
        let instance = *uuid::Uuid::new_v4().as_bytes();
        Self {
            records,
            answers: Answers::default(),
            instance,
            door: Door::default(),
            room: Semaphore::new(CONNECTIONS),
            memory: Arc::new(Semaphore::new(MEMORY)),
            unsent: Semaphore::new(ANSWERS),
            scans: Semaphore::new(SCANS),
        }
    }

    /// Answers whoever comes, until told to stop; then ends what is under way.
    pub async fn serve(self, way: Way, stop: impl Future<Output = ()>) {
        let registry = Arc::new(self);
        let (stopping, stopped) = watch::channel(false);
        let mut sessions = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = sessions.join_next() => {}
                accepted = way.accept() => match accepted {
                    Ok(visitor) => {
                        sessions.spawn(session::run(registry.clone(), visitor, stopped.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection can't be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        drop(way);
        stopping.send_replace(true);
        let all = async { while sessions.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("some calls were still under way");
        }
    }
}
