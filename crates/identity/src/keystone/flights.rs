//! One question for all who ask the same at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

/// Work in progress, by what it is about. It is done by whoever waits for it; when nobody does any
/// more, it ends.
pub(super) struct Flights<K, V>(Arc<Mutex<Flying<K, V>>>);

struct Flying<K, V> {
    under_way: HashMap<K, (u64, WeakShared<BoxFuture<'static, V>>)>,
    started: u64,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Flying { under_way: HashMap::new(), started: 0 })))
    }
}

impl<K, V> Flights<K, V>
where
    K: Eq + Hash + Copy + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// What comes of the work that is under way for `key`; `work` is done when there is none.
    pub(super) fn join(
        &self,
        key: K,
        work: impl Future<Output = V> + Send + 'static,
    ) -> Shared<BoxFuture<'static, V>> {
        let mut flying = lock(&self.0);
        if let Some(shared) = flying.under_way.get(&key).and_then(|(_, work)| work.upgrade()) {
            return shared;
        }
        flying.started += 1;
        let number = flying.started;
        let landing = Landing { flights: Arc::clone(&self.0), key, number };
        let shared = async move {
            let _landing = landing;
            work.await
        }
        .boxed()
        .shared();
        if let Some(weak) = shared.downgrade() {
            flying.under_way.insert(key, (number, weak));
        }
        shared
    }
}

/// Takes the work off the list when it ends, whether it was done or dropped.
struct Landing<K: Eq + Hash, V> {
    flights: Arc<Mutex<Flying<K, V>>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let mut flying = lock(&self.flights);
        if flying.under_way.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            flying.under_way.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_comes_while_it_is_under_way_gets_the_same() {
        let flights = Flights::default();
        let runs = Arc::new(AtomicUsize::new(0));
        let work = |result: u32, gate: oneshot::Receiver<()>| {
            let runs = Arc::clone(&runs);
            async move {
                runs.fetch_add(1, Ordering::Relaxed);
                let _ = gate.await;
                result
            }
        };
        let ((open, gate), (_open, closed)) = (oneshot::channel(), oneshot::channel());
        let first = flights.join(1, work(1, gate));
        let second = flights.join(1, work(2, closed));
        // Whoever began it goes away: the other one carries on.
        drop(first);
        open.send(()).unwrap();
        assert_eq!(second.await, 1);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert!(lock(&flights.0).under_way.is_empty());
        assert_eq!(flights.join(1, async { 3 }).await, 3);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_leaves_nothing_behind() {
        let flights: Flights<u32, ()> = Flights::default();
        drop(flights.join(1, std::future::pending()));
        assert!(lock(&flights.0).under_way.is_empty());
        flights.join(1, async {}).await;
    }
}
