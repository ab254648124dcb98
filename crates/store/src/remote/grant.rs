//! Tokens of Keystone, and where they are good for: renewed before they end.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use client::cloud::{KeystoneLogin, Trust};
use client::keystone::Catalog;
use client::{Retry, Secret, keystone};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;

use super::with_causes;
use crate::{Error, Result};

/// An upload waits for Keystone.
pub(crate) const PATIENCE: Retry = Retry {
    attempts: 4,
    first_wait: Duration::from_millis(200),
    longest_wait: Duration::from_secs(5),
};

/// What is looked for in Keystone's catalog.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The service's URL, whatever the catalog says.
    pub(crate) endpoint: Option<Url>,
    /// The types that the service may be listed with.
    pub(crate) service_types: Vec<String>,
    /// `public`, `internal` or `admin`.
    pub(crate) interface: String,
    pub(crate) region: Option<String>,
    /// A token is not used any more when less than this is left of its life.
    pub(crate) least_life: SignedDuration,
    pub(crate) trust: Trust,
}

/// What a log-in gives.
pub(crate) struct Grant {
    pub(crate) token: Secret,
    /// The service's URL.
    pub(crate) service: Url,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Grant {
    /// Logs in to Keystone. Errors: `Forbidden`, `Unavailable`.
    pub(crate) async fn of_keystone(
        store: &str,
        wanted: &Wanted,
        login: &KeystoneLogin,
    ) -> Result<Self> {
        let store = store.to_owned();
        let token = match keystone::log_in(login, &wanted.trust, PATIENCE).await {
            Ok(token) => token,
            Err(error @ client::Error::LoginRefused { .. }) => {
                return Err(Error::Forbidden { store, why: error.to_string() });
            }
            Err(error) => return Err(Error::Unavailable { store, why: with_causes(&error) }),
        };
        let service = match &wanted.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => wanted.find(&store, &token.catalog)?,
        };
        Ok(Self { token: token.secret, service, expires_at: token.expires_at })
    }

    /// Whether it will be good for a while.
    fn is_fresh(&self, wanted: &Wanted) -> bool {
        let left = |end| Timestamp::now().duration_until(end);
        self.expires_at.is_none_or(|end| left(end) > wanted.least_life)
    }
}

impl Wanted {
    /// The service's URL in a catalog. Errors: `Unavailable`.
    pub(crate) fn find(&self, store: &str, catalog: &Catalog) -> Result<Url> {
        let found = catalog.service(&self.types(), &self.interface, self.region.as_deref());
        let store = store.to_owned();
        found.ok_or_else(|| Error::Unavailable { store, why: self.missing() })
    }

    /// The types that the service may be listed with.
    pub(crate) fn types(&self) -> Vec<&str> {
        self.service_types.iter().map(String::as_str).collect()
    }

    fn missing(&self) -> String {
        format!(
            "Keystone's catalog has no {} endpoint of a service {} in the region that is configured",
            self.interface,
            self.service_types.join(" or ")
        )
    }
}

/// The grant that is in use.
#[derive(Default)]
pub(crate) struct Grants(RwLock<Option<Arc<Grant>>>);

impl Grants {
    /// A grant that is good for a while, from `log_in` where there is none. Errors: those of it.
    pub(crate) async fn get(
        &self,
        wanted: &Wanted,
        log_in: impl Future<Output = Result<Grant>>,
    ) -> Result<Arc<Grant>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|grant| grant.is_fresh(wanted)) {
            return Ok(known);
        }
        let new = Arc::new(log_in.await?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
        Ok(new)
    }

    /// The token was refused: the next request logs in anew.
    pub(crate) fn forget(&self, refused: &Arc<Grant>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, refused)) {
            *known = None;
        }
    }
}
