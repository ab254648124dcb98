//! The store in Swift: each image is an object that is named by its id, or segments of one and a
//! manifest, as the `swift` driver of glance_store lays it out: in one account, or (`tenants`) in
//! the accounts of those who bring them.

mod account;
mod endpoints;
mod location;
mod login;
mod options;
mod read;
mod reference;
mod remove;
mod stretches;
mod temp_url;
mod tenants;
mod upload;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use client::Secret;
use client::cloud::Domain;
use image::{ImageId, without_credentials};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};

use crate::remote::Writers;
use crate::{Abilities, Data, Direct, Error, Result, Source, Store, Written};

use account::{Account, Ask, Target};
use location::{Location, Place, SCHEMES};
use reference::Password;
use temp_url::TempUrls;
use upload::{Cutting, Upload};

pub(crate) use options::KIND;

/// Containers that hold image data.
pub struct SwiftStore {
    accounts: Accounts,
    container: String,
    /// How many characters of an image's id are part of its container's name.
    seed: usize,
    create_container: bool,
    cutting: Cutting,
    /// How often a download goes on after a break.
    retries: u32,
    /// How clients are sent to Swift, where they may be.
    temp_urls: Option<TempUrls>,
    writers: Writers,
}

/// The accounts that are known, by the names that locations have for them.
struct Accounts {
    known: BTreeMap<String, Arc<Account>>,
    default: String,
}

impl Accounts {
    fn default(&self) -> &Arc<Account> {
        // The options are refused where it is not among them.
        &self.known[&self.default]
    }

    /// The account of a location. One that has a log-in of its own is believed where it logs in at
    /// a known place: a record can't take the service elsewhere. It says nothing of domains, which
    /// are those of the account that takes new images, as in Glance.
    fn of(&self, place: &Place) -> Option<Arc<Account>> {
        let (auth, user, key) = match place {
            Place::Reference(name) => return self.known.get(name).cloned(),
            Place::Login { auth, user, key } => (auth, user, key),
            Place::Account(_) => return None,
        };
        let auth: Url = auth.parse().ok()?;
        let origin = auth.origin();
        let mut there = self.known.values().filter(|known| known.login.auth().origin() == origin);
        let default = || Domain::Id("default".to_owned());
        let domains = self.default().login.domains();
        let (project_domain, user_domain) = domains.unwrap_or_else(|| (default(), default()));
        let version = if auth.path().contains("/v1") { "1" } else { "3" };
        let login = Password {
            auth,
            version: version.to_owned(),
            user: user.clone(),
            key: Secret::new(key.as_str()),
            project_domain,
            user_domain,
        };
        let login = login.login()?;
        // What is configured counts, for instance where the key has been changed since.
        if let Some(same) = there.clone().find(|known| login.is_of_same_user(&known.login)) {
            return Some(same.clone());
        }
        let known = there.next()?;
        let (http, wanted) = (known.http.clone(), known.wanted.clone());
        Some(Arc::new(Account::new(&known.store, http, login, wanted)))
    }
}

impl SwiftStore {
    /// Where the object of an image is that is written now.
    fn target(&self, id: ImageId) -> Target {
        let object = id.to_string();
        let container = self.container_of(&object);
        Target { account: self.accounts.default().clone(), container, object }
    }

    /// One container, or one for each beginning of ids: hyphens don't count.
    fn container_of(&self, id: &str) -> String {
        if self.seed == 0 {
            return self.container.clone();
        }
        let hyphens = id.chars().take(self.seed).filter(|c| *c == '-').count();
        let beginning: String = id.chars().take(self.seed + hyphens).collect();
        format!("{}_{beginning}", self.container)
    }

    /// A location without credentials: Glance reads it by the reference, too.
    fn uri(&self, target: &Target) -> String {
        format!("swift+config://{}/{}/{}", self.accounts.default, target.container, target.object)
    }

    fn find(&self, uri: &str) -> Result<Target> {
        let found = Location::parse(uri).and_then(|location| {
            let account = self.accounts.of(&location.place)?;
            Some(Target { account, container: location.container, object: location.object })
        });
        found.ok_or_else(|| Error::BadLocation(without_credentials(uri)))
    }
}

#[async_trait]
impl Store for SwiftStore {
    fn kind(&self) -> &'static str {
        "swift"
    }

    fn abilities(&self) -> Abilities {
        Abilities { boundaries: vec![self.cutting.segment], ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|location| {
            let rest = location.container.strip_prefix(&self.container);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && self.seed > 0)
                && self.accounts.of(&location.place).is_some()
        })
    }

    fn properties(&self) -> Map<String, Value> {
        properties(&self.container, self.cutting)
    }

    async fn probe(&self) -> Result<()> {
        let (account, object) = (self.accounts.default().clone(), String::new());
        let container = Target { account, container: self.container.clone(), object };
        match container.ask_again(&Ask::new(Method::HEAD)).await {
            // It is made with the first image; of several, this is none.
            Err(Error::NotFound(_)) if self.create_container || self.seed > 0 => Ok(()),
            found => found.map(drop),
        }
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let target = self.target(id);
        let uri = self.uri(&target);
        let upload = Upload::to(target.clone());
        let (room, size) = (target.need_container(self.create_container), target.size());
        let (undo, send) = (upload.clone().undo(), upload.send(self.cutting, hint, source));
        self.writers.put(id, uri, room, size, undo, send).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        self.find(uri)?.open(self.retries, range).await
    }

    async fn direct(&self, uri: &str) -> Result<Option<Direct>> {
        let Some(temp_urls) = &self.temp_urls else { return Ok(None) };
        let target = self.find(uri)?;
        // The key is that of the account that takes new images.
        match Arc::ptr_eq(&target.account, self.accounts.default()) {
            true => temp_urls.direct(&target).await,
            false => Ok(None),
        }
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.find(uri)?.size().await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.find(uri)?.remove().await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        self.target(id).discard().await
    }

    async fn settled(&self) {
        self.writers.settled().await;
    }
}

/// What Glance tells of this kind; sizes in bytes.
fn properties(container: &str, cutting: Cutting) -> Map<String, Value> {
    Map::from_iter([
        ("container".to_owned(), json!(container)),
        ("large_object_size".to_owned(), json!(cutting.large)),
        ("large_object_chunk_size".to_owned(), json!(cutting.segment)),
    ])
}

#[cfg(test)]
mod tests;
