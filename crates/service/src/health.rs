//! Whether the stores answer: as administrators are told, and as those want to know who are about to
//! use one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::{Value, json};
use store::{Error, Store};
use tokio::task::AbortHandle;

/// How long a store may take before it is said to be silent.
const PATIENCE: Duration = Duration::from_secs(3);

/// What has found out nothing for so long says nothing of a store that is back meanwhile.
const STALE: Duration = Duration::from_secs(20);

/// What a probe has found.
pub(crate) type Found = Result<(), Arc<Error>>;

/// One probe for each store at a time, whoever asks: one of a store that is away may take minutes.
#[derive(Default)]
pub(crate) struct Health {
    probes: Mutex<HashMap<String, Probe>>,
}

struct Probe {
    found: Shared<BoxFuture<'static, Found>>,
    begun: Instant,
    running: AbortHandle,
}

impl Health {
    /// What is told of the store of that name.
    pub(crate) async fn of(&self, name: &str, store: &Arc<dyn Store>) -> Value {
        match self.probed(name, store, PATIENCE).await {
            Some(Ok(())) => json!({ "status": "ok" }),
            Some(Err(error)) => json!({ "status": "failed", "reason": error.to_string() }),
            None => {
                let why = format!("it has not answered for {} seconds", PATIENCE.as_secs());
                json!({ "status": "failed", "reason": why })
            }
        }
    }

    /// What a probe finds within a time; nothing where the store is silent for so long.
    pub(crate) async fn probed(
        &self,
        name: &str,
        store: &Arc<dyn Store>,
        patience: Duration,
    ) -> Option<Found> {
        let found = self.probe(name, store);
        tokio::time::timeout(patience, found).await.ok()
    }

    /// The probe that is under way, or a new one.
    fn probe(&self, name: &str, store: &Arc<dyn Store>) -> Shared<BoxFuture<'static, Found>> {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(probe) = probes.get(name).filter(|probe| probe.found.peek().is_none()) {
            if probe.begun.elapsed() < STALE {
                return probe.found.clone();
            }
            probe.running.abort();
        }
        let store = store.clone();
        let found = async move { store.probe().await.map_err(Arc::new) }.boxed().shared();
        // It ends also when nobody waits for it any more.
        let running = tokio::spawn(found.clone()).abort_handle();
        let probe = Probe { found: found.clone(), begun: Instant::now(), running };
        probes.insert(name.to_owned(), probe);
        found
    }
}
