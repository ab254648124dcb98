//! Work that goes on after its request was answered. It ends with the service.

use std::sync::{Mutex, PoisonError};

use tokio::task::JoinSet;

use crate::error::{ApiError, Result};

/// Works at the same time, at most: each may read an image.
const MOST: usize = 64;

/// Work that goes on after its request was answered. What is not done when this is dropped is
/// given up.
#[derive(Debug, Default)]
pub struct Background(Mutex<JoinSet<()>>);

impl Background {
    /// Begins some work; refuses when there is too much already.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        if set.len() >= MOST {
            return Err(ApiError::unavailable("Too many images are being read; try again."));
        }
        set.spawn(work);
        Ok(())
    }
}
