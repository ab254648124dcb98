//! Whether the stores answer, as administrators are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::{Value, json};
use store::Store;

/// How long a store may take before it is said to be silent.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a probe has found: what is wrong, if anything is.
type Probe = Shared<BoxFuture<'static, Option<String>>>;

/// One probe for each store at a time, whoever asks: one of a store that is away may take minutes.
#[derive(Default)]
pub(crate) struct Health {
    probes: Mutex<HashMap<String, Probe>>,
}

impl Health {
    /// What is told of the store of that name.
    pub(crate) async fn of(&self, name: &str, store: &Arc<dyn Store>) -> Value {
        match tokio::time::timeout(PATIENCE, self.probe(name, store)).await {
            Ok(None) => json!({ "status": "ok" }),
            Ok(Some(why)) => json!({ "status": "failed", "reason": why }),
            Err(_) => {
                let why = format!("it has not answered for {} seconds", PATIENCE.as_secs());
                json!({ "status": "failed", "reason": why })
            }
        }
    }

    /// The probe that is under way, or a new one.
    fn probe(&self, name: &str, store: &Arc<dyn Store>) -> Probe {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(probe) = probes.get(name).filter(|probe| probe.peek().is_none()) {
            return probe.clone();
        }
        let store = store.clone();
        let probe = async move { store.probe().await.err().map(|error| error.to_string()) };
        let probe = probe.boxed().shared();
        probes.insert(name.to_owned(), probe.clone());
        // It ends also when nobody waits for it any more.
        tokio::spawn(probe.clone());
        probe
    }
}
