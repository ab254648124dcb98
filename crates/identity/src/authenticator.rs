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

/// What a request shows of its sender.
#[derive(Clone, Copy, Default)]
pub struct Shown<'a> {
    /// `X-Auth-Token`.
    pub token: Option<&'a str>,
    /// `X-Service-Token`: that of a service which passes the request on.
    pub service_token: Option<&'a str>,
    /// What it asks for: some tokens are for certain requests only.
    pub asked: Asked<'a>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// `GET`.
    pub method: &'a str,
    /// `/v2/images`, without the query.
    pub path: &'a str,
}

/// Turns tokens into callers. Asked on every request: an implementation keeps what it learned for
/// as long as the token lives, and forgets it when the token is revoked.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// The bearer of `token`.
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, Error>;

    /// The sender of a request. Unless an implementation knows better, that is the bearer of its
    /// token, whoever passes it on.
    async fn admit(&self, shown: Shown<'_>) -> Result<Arc<Caller>, Error> {
        self.authenticate(shown.token.ok_or(Error::NotAuthenticated)?).await
    }

    /// The URL where clients get tokens, for `WWW-Authenticate`.
    fn identity_url(&self) -> &str {
        "/identity"
    }
}
