//! From a token to a caller.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Caller;

/// Why there is no caller. Neither says more, lest an answer tell an attacker what was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token is unknown, expired or revoked: the answer is 401.
    #[error("The request you have made requires authentication.")]
    NotAuthenticated,
    /// Whoever knows tokens can't be asked now: the answer is 503, never an open door.
    #[error("The identity service is unavailable.")]
    Unavailable,
}

/// Turns tokens into callers. Asked on every request: an implementation keeps what it learned for
/// as long as the token lives, and forgets it when the token is revoked.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The bearer of `token`.
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, Error>;
}
