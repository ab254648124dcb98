//! Turns at what several volumes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Held, PoisonError, Weak};

use tokio::sync::{Mutex, OwnedMutexGuard};

/// One turn at a time for each name.
#[derive(Default)]
pub(super) struct Turns(Held<HashMap<String, Weak<Mutex<()>>>>);

impl Turns {
    /// The turn at what has a name, for as long as it is held.
    pub(super) async fn at(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, turn| turn.strong_count() > 0);
            known.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
                let turn = Arc::default();
                known.insert(name.to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn each_name_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let first = turns.at("a").await;
        let mut second = Box::pin(turns.at("a"));
        assert!(poll!(&mut second).is_pending());
        drop(turns.at("b").await);
        drop(first);
        drop(second.await);
        drop(turns.at("c").await);
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
