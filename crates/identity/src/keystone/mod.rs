//! A real Keystone v3 says who calls, as keystonemiddleware's `auth_token` has it.
//!
//! A token is validated by `GET /v3/auth/tokens` with a token of our own (`own_token`), and what
//! came of it is kept for a while (`cache`): so most requests cost a digest and a look into a map.
//! Requests that arrive with one token while it is being validated wait for one answer
//! (`flights`). When Keystone is away, tokens that are known still work, and others are answered
//! with 503.
//!
//! Reference: "Identity API v3" of OpenStack, "Middleware Architecture" of keystonemiddleware.

mod access_rules;
mod cache;
mod credentials;
mod flights;
mod own_token;
mod server;
mod settings;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use async_trait::async_trait;

pub use credentials::Credentials;
pub(crate) use credentials::first;
pub use server::OpenError;
pub use settings::{Settings, Trust};

use crate::clock::Clock;
use crate::digest::Digest;
use crate::{Asked, Authenticator, Caller, Error, Shown};
use cache::{Cache, Expired, Key, Known};
use flights::Flights;
use own_token::OwnToken;
use server::{Server, Verdict};
use token::Bearer;

/// Tokens are some hundred bytes long, those of JWS a thousand. Longer ones are nobody's.
const MAX_TOKEN: usize = 8 * 1024;

/// A Keystone that is asked about tokens.
#[derive(Clone)]
pub struct Keystone(Arc<Inner>);

struct Inner {
    server: Server,
    own: OwnToken,
    cache: Cache,
    flights: Flights<Key, Result<Bearer, Error>>,
    clock: Clock,
}

impl Keystone {
    /// Nothing is sent before the first token comes. Errors: a file of certificates can't be used.
    pub fn new(settings: Settings) -> Result<Self, OpenError> {
        let clock = Clock::default();
        Ok(Self(Arc::new(Inner {
            cache: Cache::new(settings.cache_time),
            server: Server::new(settings)?,
            own: OwnToken::default(),
            flights: Flights::default(),
            clock,
        })))
    }

    fn settings(&self) -> &Settings {
        &self.0.server.settings
    }

    /// Whether a token is for this request.
    fn may_ask(&self, bearer: &Bearer, asked: Asked<'_>) -> bool {
        let Some(rules) = &bearer.access_rules else { return true };
        let Some(service_type) = &self.settings().service_type else {
            tracing::warn!(
                "a token with access rules is refused: set service_type = image in \
                 [keystone_authtoken]"
            );
            return false;
        };
        rules.allow(asked, service_type)
    }

    /// The bearer of a token; `expired` says whether it may be past its life.
    async fn bearer(&self, token: &str, expired: Expired) -> Result<Bearer, Error> {
        let token = token.trim();
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(Error::NotAuthenticated);
        }
        let key = Key { digest: Digest::of(token), expired };
        match self.0.cache.get(&key, self.0.clock.now()) {
            Some(Known::Valid(bearer)) => return Ok(bearer),
            Some(Known::Invalid) => return Err(Error::NotAuthenticated),
            None => {}
        }
        let (inner, token) = (Arc::clone(&self.0), token.to_owned());
        self.0.flights.join(key, async move { inner.learn(key, &token).await }).await
    }

    /// The service that passes a request on; none when its token is not worth it, as Glance goes on
    /// without it then. Says also whether tokens of its users may have expired on the way.
    async fn service(&self, token: &str) -> Result<(Option<Arc<Caller>>, Expired), Error> {
        let service = match self.bearer(token, Expired::Refused).await {
            Ok(bearer) => bearer.caller,
            Err(Error::NotAuthenticated) => return Ok((None, Expired::Refused)),
            Err(error) => return Err(error),
        };
        let settings = self.settings();
        if settings.service_roles.iter().any(|role| service.has_role(role)) {
            return Ok((Some(service), Expired::Accepted));
        }
        let trusted = !settings.service_roles_required;
        Ok((trusted.then_some(service), Expired::Refused))
    }
}

#[async_trait]
impl Authenticator for Keystone {
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, Error> {
        self.admit(Shown { token: Some(token), ..Shown::default() }).await
    }

    async fn admit(&self, shown: Shown<'_>) -> Result<Arc<Caller>, Error> {
        let token = shown.token.ok_or(Error::NotAuthenticated)?;
        let (service, expired) = match shown.service_token {
            Some(service_token) => self.service(service_token).await?,
            None => (None, Expired::Refused),
        };
        let bearer = self.bearer(token, expired).await?;
        match service {
            // What a service does for a user is not what the user asked for: no access rules.
            Some(service) => Ok(Arc::new(bearer.caller.through(&service))),
            None if self.may_ask(&bearer, shown.asked) => Ok(bearer.caller),
            None => Err(Error::NotAuthenticated),
        }
    }

    fn identity_url(&self) -> &str {
        &self.settings().www_authenticate_uri
    }
}

impl Inner {
    /// Asks Keystone about a token, and remembers the answer.
    async fn learn(self: Arc<Self>, key: Key, token: &str) -> Result<Bearer, Error> {
        let verdict = self.ask(token, key.expired).await?;
        let now = self.clock.now();
        let lives =
            |bearer: &Bearer| key.expired == Expired::Accepted || !bearer.caller.is_expired(now);
        match verdict.filter(lives) {
            Some(bearer) => {
                self.cache.remember(key, bearer.clone(), now);
                Ok(bearer)
            }
            None => {
                self.cache.refuse(key, now);
                Err(Error::NotAuthenticated)
            }
        }
    }

    /// Who bears a token by Keystone's word; `None` when nobody does.
    async fn ask(&self, token: &str, expired: Expired) -> Result<Option<Bearer>, Error> {
        for _ in 0..2 {
            let own = self.own.get(&self.server, &self.clock).await?;
            match self.server.validate(&own, token, expired).await {
                Ok(Verdict::Valid(bearer)) => return Ok(Some(bearer)),
                Ok(Verdict::Invalid) => return Ok(None),
                // Revoked, or of a Keystone that has forgotten it: once more, with a new one.
                Ok(Verdict::OwnTokenRefused) => self.own.forget(&own),
                Err(failure) => {
                    tracing::error!("Keystone can't validate a token: {failure}");
                    return Err(Error::Unavailable);
                }
            }
        }
        tracing::error!("Keystone refuses our own token right after it was issued");
        Err(Error::Unavailable)
    }
}
