//! What changes were answered, for those whose answer was lost.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::frame::Key;

/// Changes that are remembered, at most.
const MOST: usize = 50_000;

/// For how long: longer than any client asks again.
const KEPT: Duration = Duration::from_secs(300);

/// Answers beyond this many bytes are remembered as having been given, and no more.
const LONGEST: usize = 4 << 10;

/// The answer of a change, once there is one; those who ask again meanwhile wait for it.
pub(super) type Answer = Arc<OnceCell<Option<Bytes>>>;

/// The changes that were asked for lately.
#[derive(Default)]
pub(super) struct Answers(Mutex<Known>);

#[derive(Default)]
struct Known {
    answers: HashMap<Key, Answer>,
    order: VecDeque<(Instant, Key)>,
    /// When the youngest was asked for of those that are forgotten.
    forgotten: Option<Instant>,
}

impl Answers {
    /// The place of a change's answer. `None` where it may have been made and is forgotten.
    pub(super) fn of(&self, key: Key, age: Duration) -> Option<Answer> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        known.forget(now);
        if let Some(answer) = known.answers.get(&key) {
            return Some(answer.clone());
        }
        let asked = now.checked_sub(age).unwrap_or(now);
        let repeated = !age.is_zero();
        if repeated && known.forgotten.is_some_and(|youngest| asked <= youngest) {
            return None;
        }
        let answer = Answer::default();
        known.answers.insert(key, answer.clone());
        known.order.push_back((now, key));
        Some(answer)
    }
}

/// What of an answer is remembered.
pub(super) fn remembered(answer: &Bytes) -> Option<Bytes> {
    (answer.len() <= LONGEST).then(|| answer.clone())
}

impl Known {
    fn forget(&mut self, now: Instant) {
        while let Some((asked, key)) = self.order.front().copied() {
            if self.order.len() < MOST && now.duration_since(asked) < KEPT {
                break;
            }
            self.order.pop_front();
            self.answers.remove(&key);
            self.forgotten = Some(asked);
        }
    }
}
