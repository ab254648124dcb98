//! Where the accounts of callers are: the catalog of their tokens says so, as it does to Glance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::cloud::Trust;
use client::keystone;
use reqwest::Url;

use crate::remote::{PATIENCE, Wanted, with_causes};
use crate::{Error, Principal, Result};

/// How long what a catalog says of a project counts.
const AGE: Duration = Duration::from_secs(300);

/// Projects that are remembered at most.
const MOST: usize = 4096;

/// The Keystone that knows the callers.
#[derive(Debug, Clone)]
pub(super) struct Keystone {
    pub(super) auth_url: Url,
    pub(super) trust: Trust,
}

/// Where accounts are.
pub(super) struct Endpoints {
    pub(super) store: String,
    pub(super) wanted: Wanted,
    /// Asked where the account's URL is not an option.
    pub(super) keystone: Option<Keystone>,
    known: Mutex<HashMap<String, (Instant, Arc<Endpoint>)>>,
}

/// Where the account of a project is.
pub(super) struct Endpoint {
    pub(super) account: Url,
    /// Every place of the cloud's that takes tokens for accounts.
    places: Vec<Url>,
}

impl Endpoint {
    /// Whether a URL is of the cloud: a token is shown to nobody else, whatever a record says.
    pub(super) fn is_of_cloud(&self, url: &Url) -> bool {
        let mut places = self.places.iter().chain([&self.account]);
        places.any(|place| place.origin() == url.origin())
    }
}

impl Endpoints {
    pub(super) fn new(store: &str, wanted: Wanted, keystone: Option<Keystone>) -> Self {
        Self { store: store.to_owned(), wanted, keystone, known: Mutex::default() }
    }

    /// Where the account of a caller's project is. Errors: `Forbidden`, `Unavailable`.
    pub(super) async fn of(&self, caller: &Principal) -> Result<Arc<Endpoint>> {
        if let Some(known) = self.known(&caller.project) {
            return Ok(known);
        }
        let found = Arc::new(self.look_up(caller).await?);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(caller.project.clone(), (Instant::now(), found.clone()));
        Ok(found)
    }

    fn known(&self, project: &str) -> Option<Arc<Endpoint>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, endpoint) = known.get(project)?;
        (since.elapsed() < AGE).then(|| endpoint.clone())
    }

    async fn look_up(&self, caller: &Principal) -> Result<Endpoint> {
        if let Some(account) = &self.wanted.endpoint {
            return Ok(Endpoint { account: account.clone(), places: Vec::new() });
        }
        let away = |why: String| Error::Unavailable { store: self.store.clone(), why };
        let Some(Keystone { auth_url, trust }) = &self.keystone else {
            return Err(away("no Keystone is configured that knows its accounts".to_owned()));
        };
        let catalog = match keystone::catalog(auth_url, &caller.token, trust, PATIENCE).await {
            Ok(catalog) => catalog,
            Err(error @ client::Error::Refused { .. }) => {
                return Err(Error::Forbidden { store: self.store.clone(), why: error.to_string() });
            }
            Err(error) => return Err(away(with_causes(&error))),
        };
        let account = self.wanted.find(&self.store, &catalog)?;
        let places = catalog.urls(&self.wanted.types()).collect();
        Ok(Endpoint { account, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shown_to_the_cloud_alone() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let endpoint = Endpoint {
            account: url("https://swift.one/v1/AUTH_p"),
            places: vec![url("https://swift.two:8080/v1/AUTH_p")],
        };
        for (of_cloud, text) in [
            (true, "https://swift.one/v1/AUTH_other"),
            (true, "https://swift.two:8080/v1/AUTH_other"),
            (false, "http://swift.one/v1/AUTH_p"),
            (false, "https://swift.two/v1/AUTH_p"),
            (false, "https://elsewhere/v1/AUTH_p"),
        ] {
            assert_eq!(endpoint.is_of_cloud(&url(text)), of_cloud, "{text}");
        }
    }
}
