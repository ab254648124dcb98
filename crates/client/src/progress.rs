//! How far a transfer has come.

use std::fmt;
use std::sync::Arc;

/// Told of the position in the image, in bytes, whenever it moves: forward as bytes pass, and back
/// to zero when a transfer has to start over. Called on the transfer's own task: it must be quick.
#[derive(Clone)]
pub struct Progress(Option<Arc<dyn Fn(u64) + Send + Sync>>);

impl Progress {
    /// Nobody listens.
    pub fn none() -> Self {
        Self(None)
    }

    /// Calls `listener` with the position.
    pub fn new(listener: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells the position.
    pub fn at(&self, position: u64) {
        if let Some(listener) = &self.0 {
            listener(position);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("heard", &self.0.is_some()).finish()
    }
}
