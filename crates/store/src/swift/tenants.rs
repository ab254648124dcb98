//! Images in the accounts of those who bring them, each in a container of its own, which those may
//! read who may read the image: as the `MultiTenantStore` of glance_store lays it out.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use client::Secret;
use image::{ImageId, without_credentials};
use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::account::{Account, Ask, Target};
use super::endpoints::Endpoints;
use super::location::{Location, Place, SCHEMES, in_account};
use super::login::Login;
use super::upload::{Cutting, Upload};
use crate::remote::{Http, Writers};
use crate::{Abilities, Data, Error, Principal, Readers, Result, Source, Store, Written};

/// The store as one caller uses it, or as the service does.
pub(super) struct TenantStore {
    pub(super) common: Arc<Common>,
    pub(super) caller: Option<Principal>,
}

/// What is the same to all callers.
pub(super) struct Common {
    pub(super) http: Http,
    pub(super) endpoints: Endpoints,
    /// What names of containers begin with.
    pub(super) container: String,
    /// Projects whose users may write in every container.
    pub(super) admins: Vec<String>,
    pub(super) create_container: bool,
    pub(super) cutting: Cutting,
    pub(super) retries: u32,
    pub(super) writers: Writers,
    /// The service's own log-in, where it has one: for what no caller asks for, and for what callers
    /// may not do in other people's accounts.
    pub(super) service: Option<Arc<Account>>,
    /// The same, where it vouches for callers whose token ends in the middle of an upload.
    pub(super) vouching: Option<Arc<Account>>,
}

impl Common {
    /// An account as the bearer of a token uses it.
    fn account(&self, token: Secret, account: Url) -> Arc<Account> {
        let Endpoints { store, wanted, .. } = &self.endpoints;
        let login = Login::Given { token, account };
        let account = Account::new(store, self.http.clone(), login, wanted.clone());
        Arc::new(account.vouched_for_by(self.vouching.clone()))
    }

    /// Whether a caller's account answers.
    async fn probe(&self, caller: &Principal) -> Result<()> {
        let place = self.endpoints.of(caller).await?.account.clone();
        let account = self.account(caller.token.clone(), place);
        let (container, object) = Default::default();
        Target { account, container, object }.ask_again(&Ask::new(Method::HEAD)).await.map(drop)
    }

    fn nobody(&self) -> Error {
        Error::Forbidden {
            store: self.endpoints.store.clone(),
            why: "it keeps images in the accounts of users, and no user is there to act for".into(),
        }
    }
}

impl TenantStore {
    /// Where the image is that the caller brings now, and the location.
    async fn target(&self, id: ImageId) -> Result<(Target, String)> {
        let caller = self.caller.as_ref().ok_or_else(|| self.common.nobody())?;
        let account = self.common.endpoints.of(caller).await?.account.clone();
        let object = id.to_string();
        let container = format!("{}_{object}", self.common.container);
        let uri = in_account(&account, &container, &object);
        let account = self.common.account(caller.token.clone(), account);
        Ok((Target { account, container, object }, uri))
    }

    /// Where the bytes of a location are.
    async fn find(&self, uri: &str) -> Result<Target> {
        let bad = || Error::BadLocation(without_credentials(uri));
        let Location { place, container, object } = Location::parse(uri).ok_or_else(bad)?;
        let Place::Account(account) = place else { return Err(bad()) };
        let account = account.parse().map_err(|_| bad())?;
        let token = self.token_for(&account).await?.ok_or_else(bad)?;
        Ok(Target { account: self.common.account(token, account), container, object })
    }

    /// What is shown to this place; nothing where it is not the cloud's.
    async fn token_for(&self, account: &Url) -> Result<Option<Secret>> {
        if let Some(caller) = &self.caller {
            let endpoint = self.common.endpoints.of(caller).await?;
            return Ok(endpoint.is_of_cloud(account).then(|| caller.token.clone()));
        }
        let service = self.common.service.as_ref().ok_or_else(|| self.common.nobody())?;
        let grant = service.grant().await?;
        Ok((grant.service.origin() == account.origin()).then(|| grant.token.clone()))
    }

    /// The store as the service uses it, where a caller does and the service can.
    fn as_service(&self) -> Option<Self> {
        let can = self.caller.is_some() && self.common.service.is_some();
        can.then(|| Self { common: self.common.clone(), caller: None })
    }

    async fn remove(&self, uri: &str) -> Result<()> {
        let target = self.find(uri).await?;
        let removed = target.remove().await;
        let is_gone = matches!(removed, Ok(()) | Err(Error::NotFound(_)));
        if is_gone && target.container.ends_with(&format!("_{}", target.object)) {
            target.remove_container().await;
        }
        removed
    }

    async fn admit_readers(&self, uri: &str, readers: &Readers) -> Result<()> {
        let container = self.find(uri).await?.container_itself();
        let (read, write) = (read_acl(readers), users_of(&self.common.admins));
        let headers = [("x-container-read", &*read), ("x-container-write", &*write)];
        let ask = Ask { headers: &headers, ..Ask::new(Method::POST) };
        container.ask_again(&ask).await.map(drop)
    }
}

/// glance_store's: `*:*` is everybody with a token of whatever project, and nobody without.
fn read_acl(readers: &Readers) -> String {
    match readers {
        Readers::Everybody => "*:*".to_owned(),
        Readers::Projects(projects) => users_of(projects),
    }
}

/// All users of these projects, as Swift's lists of access have them.
fn users_of(projects: &[String]) -> String {
    let users: Vec<_> = projects.iter().map(|project| format!("{project}:*")).collect();
    users.join(",")
}

#[async_trait]
impl Store for TenantStore {
    fn kind(&self) -> &'static str {
        "swift"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            needs_caller: self.caller.is_none(),
            shares: true,
            boundaries: vec![self.common.cutting.segment],
            ..Abilities::default()
        }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        Location::parse(uri).is_some_and(|location| {
            let rest = location.container.strip_prefix(&self.common.container);
            rest.is_some_and(|rest| rest.starts_with('_'))
                && matches!(location.place, Place::Account(_))
        })
    }

    fn properties(&self) -> Map<String, Value> {
        super::properties(&self.common.container, self.common.cutting)
    }

    fn on_behalf(&self, of: &Principal) -> Option<Arc<dyn Store>> {
        Some(Arc::new(Self { common: self.common.clone(), caller: Some(of.clone()) }))
    }

    async fn probe(&self) -> Result<()> {
        match (&self.caller, &self.common.service) {
            (Some(caller), _) => self.common.probe(caller).await,
            (None, Some(service)) => service.grant().await.map(drop),
            (None, None) => Ok(()),
        }
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let (target, uri) = self.target(id).await?;
        let upload = Upload::to(target.clone());
        let room = target.need_container(self.common.create_container);
        let (undoing, left) = (upload.clone().undo(), target.clone());
        let undo = async move {
            undoing.await;
            left.remove_container().await;
        };
        let (size, send) = (target.size(), upload.send(self.common.cutting, hint, source));
        self.common.writers.put(id, uri, room, size, undo, send).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        self.find(uri).await?.open(self.common.retries, range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.find(uri).await?.size().await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        match (self.remove(uri).await, self.as_service()) {
            (Err(Error::Forbidden { .. }), Some(service)) => service.remove(uri).await,
            (removed, _) => removed,
        }
    }

    async fn share(&self, uri: &str, readers: &Readers) -> Result<()> {
        match (self.admit_readers(uri, readers).await, self.as_service()) {
            (Err(Error::Forbidden { .. }), Some(service)) => {
                service.admit_readers(uri, readers).await
            }
            (shared, _) => shared,
        }
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let (target, _) = self.target(id).await?;
        let found = target.discard().await?;
        target.remove_container().await;
        Ok(found)
    }

    async fn settled(&self) {
        self.common.writers.settled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_access_are_those_of_glance() {
        let projects = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (readers, acl) in [
            (Readers::Everybody, "*:*"),
            (Readers::Projects(projects(&[])), ""),
            (Readers::Projects(projects(&["a"])), "a:*"),
            (Readers::Projects(projects(&["a", "b"])), "a:*,b:*"),
        ] {
            assert_eq!(read_acl(&readers), acl);
        }
    }
}
