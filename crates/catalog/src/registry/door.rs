//! The door: few stand there at a time, and not for long.
//!
//! Whoever is at the door has proven nothing. When it is crowded, who has stood there longest goes:
//! somebody with the right keys needs only a moment, and is let in also while others open as many
//! connections as they can and say nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::broken::Broken;

/// Connections that have proven nothing yet, at most.
const MOST: usize = 256;

/// How long a client may take to prove who it is.
const PROOF: Duration = Duration::from_secs(10);

/// Where connections wait until they have proven who they are.
#[derive(Default)]
pub(super) struct Door(Mutex<Standing>);

#[derive(Default)]
struct Standing {
    next: u64,
    in_order: VecDeque<(u64, oneshot::Sender<Infallible>)>,
}

impl Door {
    /// What the proof leads to. Errors: its own; `Silent` after 10 seconds; `Crowded`.
    pub(super) async fn pass<T>(
        &self,
        proof: impl Future<Output = Result<T, Broken>>,
    ) -> Result<T, Broken> {
        let (place, sent_away) = self.enter();
        let proven = tokio::select! {
            proven = timeout(PROOF, proof) => proven.unwrap_or(Err(Broken::Silent)),
            _ = sent_away => Err(Broken::Crowded),
        };
        drop(place);
        proven
    }

    fn enter(&self) -> (Place<'_>, oneshot::Receiver<Infallible>) {
        let (stays, sent_away) = oneshot::channel();
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.in_order.len() >= MOST {
            standing.in_order.pop_front();
        }
        let number = standing.next;
        standing.next += 1;
        standing.in_order.push_back((number, stays));
        (Place { door: self, number }, sent_away)
    }
}

/// Somebody's place at the door, until it is dropped.
struct Place<'a> {
    door: &'a Door,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut standing = self.door.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.in_order.retain(|(number, _)| *number != self.number);
    }
}
