//! The token with which we ask about the tokens of others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};

use super::flights::Flights;
use super::server::{Login, Server};
use crate::Error;
use crate::clock::Clock;

/// A new token is asked for when the old one lives no longer than this: a request that is under way
/// must not outlive it.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// After a login that failed, the next one waits: many that fail lock an account.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// The token with which we ask about the tokens of others.
#[derive(Default)]
pub(super) struct OwnToken {
    current: Arc<RwLock<Option<Arc<Login>>>>,
    failed: Arc<Mutex<Option<Timestamp>>>,
    logins: Flights<(), Result<Arc<Login>, Error>>,
}

impl OwnToken {
    /// The token; logs in when there is none, or when it ends soon.
    pub(super) async fn get(&self, server: &Server, clock: &Clock) -> Result<Arc<Login>, Error> {
        let now = clock.now();
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(login) = current.filter(|login| login.expires_at > now + RENEWED_BEFORE) {
            return Ok(login);
        }
        if lock(&self.failed).is_some_and(|failed| now < failed + PAUSE) {
            return Err(Error::Unavailable);
        }
        let (current, failed) = (Arc::clone(&self.current), Arc::clone(&self.failed));
        let (server, clock) = (server.clone(), clock.clone());
        let login = async move {
            match server.log_in().await {
                Ok(login) => {
                    let login = Arc::new(login);
                    let mut current = current.write().unwrap_or_else(PoisonError::into_inner);
                    *current = Some(Arc::clone(&login));
                    Ok(login)
                }
                Err(failure) => {
                    tracing::error!("can't log in at Keystone: {failure}");
                    *lock(&failed) = Some(clock.now());
                    Err(Error::Unavailable)
                }
            }
        };
        self.logins.join((), login).await
    }

    /// Keystone refused this one.
    pub(super) fn forget(&self, refused: &Arc<Login>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|login| Arc::ptr_eq(login, refused)) {
            *current = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
