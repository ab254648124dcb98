//! What time it is; tests turn it forward.

#[cfg(test)]
use std::sync::{Arc, atomic::AtomicI64, atomic::Ordering};

use jiff::Timestamp;

#[derive(Clone, Default)]
pub(crate) struct Clock {
    /// Seconds.
    #[cfg(test)]
    ahead: Arc<AtomicI64>,
}

impl Clock {
    #[cfg(not(test))]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[cfg(test)]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(crate) fn advance(&self, by: jiff::SignedDuration) {
        self.ahead.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}
