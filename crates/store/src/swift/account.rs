//! Requests to an account: with a token that is renewed, repeated where it may help.

use std::sync::Arc;

use reqwest::{Method, Response, StatusCode, Url, header};
use serde::Deserialize;

use super::login::Login;
use crate::remote::{Failed, Grant, Grants, Http, Outgoing, Wanted, encode, reason, retried};
use crate::{Error, Result};

/// An account, and who uses it.
pub(super) struct Account {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) http: Http,
    pub(super) login: Login,
    pub(super) wanted: Wanted,
    /// Who vouches for whoever logs in here: with a token of such a service beside it, a caller's
    /// token counts beyond its end.
    vouching: Option<Arc<Account>>,
    grants: Grants,
}

/// What is asked for: a container, or an object in it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) account: Arc<Account>,
    pub(super) container: String,
    /// Empty for the container itself.
    pub(super) object: String,
}

/// A request, but for the target.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: &'a [(&'a str, &'a str)],
}

impl Ask<'_> {
    pub(super) fn new(method: Method) -> Self {
        Self { method, query: &[], headers: &[] }
    }
}

/// An object, as a listing of its container tells of it.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    #[serde(default)]
    pub(super) bytes: u64,
    /// Its MD5 sum.
    #[serde(default)]
    pub(super) hash: String,
    /// The tag of one that has segments of its own, which `hash` is not of.
    pub(super) slo_etag: Option<String>,
}

impl Account {
    pub(super) fn new(store: &str, http: Http, login: Login, wanted: Wanted) -> Self {
        let grants = Grants::default();
        Self { store: store.to_owned(), http, login, wanted, vouching: None, grants }
    }

    /// The same, with somebody who vouches for whoever logs in here.
    pub(super) fn vouched_for_by(self, vouching: Option<Arc<Self>>) -> Self {
        Self { vouching, ..self }
    }

    /// A grant that is good for a while. Errors: as of a log-in.
    pub(super) async fn grant(&self) -> Result<Arc<Grant>> {
        let log_in = self.login.grant(&self.store, &self.http, &self.wanted);
        self.grants.get(&self.wanted, log_in).await
    }

    /// The token of who vouches. Without it, the caller's own has to do.
    async fn voucher(&self) -> Option<Arc<Grant>> {
        let vouching = self.vouching.as_ref()?;
        let failed = |error: &Error| tracing::warn!(%error, "nobody vouches for a caller");
        vouching.grant().await.inspect_err(failed).ok()
    }

    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.store.clone(), why: why.into() }
    }

    pub(super) fn away(&self, error: reqwest::Error) -> Error {
        self.failing(reason(error))
    }
}

impl Target {
    /// What errors call it.
    pub(super) fn shown(&self) -> String {
        format!("{}/{}", self.container, self.object)
    }

    pub(super) fn container_itself(&self) -> Self {
        Self { object: String::new(), ..self.clone() }
    }

    /// Another object in the same container.
    pub(super) fn beside(&self, object: String) -> Self {
        Self { object, ..self.clone() }
    }

    /// Asks once. The answer is a success. Errors: `Passing` where another attempt may help, so
    /// also where the token was refused, which is renewed then.
    pub(super) async fn ask(
        &self,
        ask: &Ask<'_>,
        body: Option<Outgoing>,
    ) -> Result<Response, Failed> {
        let account = &self.account;
        let grant = account.grant().await?;
        let mut request = account
            .http
            .request(ask.method.clone(), self.url(&grant.service))
            .query(ask.query)
            .header("x-auth-token", grant.token.expose());
        if let Some(voucher) = account.voucher().await {
            request = request.header("x-service-token", voucher.token.expose());
        }
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let (http, failing) = (&account.http, |why| account.failing(why));
        let answer = match body {
            Some(body) => http.send(request, body, failing).await,
            None if ask.method == Method::PUT => {
                http.ask(request.header(header::CONTENT_LENGTH, 0), failing).await
            }
            None => http.ask(request, failing).await,
        }?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            account.grants.forget(&grant);
        }
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(self.failure(answer.status())),
        }
    }

    /// Asks, and again where a failure may pass; without a body.
    pub(super) async fn ask_again(&self, ask: &Ask<'_>) -> Result<Response> {
        retried(|| self.ask(ask, None)).await
    }

    /// Its URL, in the account that is there.
    pub(super) fn url(&self, account: &Url) -> String {
        let account = account.as_str().trim_end_matches('/');
        let container = encode(&self.container, b"");
        match self.object.is_empty() {
            true => format!("{account}/{container}"),
            false => format!("{account}/{container}/{}", encode(&self.object, b"/")),
        }
    }

    /// What a status says that is no success.
    pub(super) fn failure(&self, status: StatusCode) -> Failed {
        let store = self.account.store.clone();
        let why = format!("{} is answered with {status}", self.shown());
        match status {
            StatusCode::UNAUTHORIZED if self.account.login.is_renewable() => {
                Failed::Passing(Error::Forbidden { store, why })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Failed::Lasting(Error::Forbidden { store, why })
            }
            StatusCode::NOT_FOUND => Failed::Lasting(Error::NotFound(self.shown())),
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => {
                Failed::Lasting(Error::Exists(self.shown()))
            }
            // Of an account or container with a quota, too.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::INSUFFICIENT_STORAGE => {
                Failed::Lasting(Error::Full(store))
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Failed::Passing(Error::Unavailable { store, why })
            }
            status if status.is_server_error() => {
                Failed::Passing(Error::Unavailable { store, why })
            }
            _ => Failed::Lasting(Error::Unavailable { store, why }),
        }
    }

    /// The container is there, or is made where that is wanted.
    pub(super) async fn need_container(&self, create: bool) -> Result<()> {
        let container = self.container_itself();
        match container.ask_again(&Ask::new(Method::HEAD)).await {
            Err(Error::NotFound(_)) if create => {
                container.ask_again(&Ask::new(Method::PUT)).await.map(drop)
            }
            Err(Error::NotFound(_)) => Err(self.account.failing(format!(
                "there is no container '{}', and swift_store_create_container_on_put is off",
                self.container
            ))),
            found => found.map(drop),
        }
    }

    /// How many bytes the object has; of one in segments, all of theirs.
    pub(super) async fn size(&self) -> Result<u64> {
        let answer = self.ask_again(&Ask::new(Method::HEAD)).await?;
        self.length(&answer)
    }

    /// How many bytes the object has, by an answer to `HEAD`.
    pub(super) fn length(&self, answer: &Response) -> Result<u64> {
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        length.ok_or_else(|| self.account.failing("Swift does not say how long an object is"))
    }

    /// The names of the container's objects that begin so.
    pub(super) async fn beginning(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(self.listing(prefix).await?.into_iter().map(|listed| listed.name).collect())
    }

    /// The container's objects whose names begin so, in the order of these.
    pub(super) async fn listing(&self, prefix: &str) -> Result<Vec<Listed>> {
        let container = self.container_itself();
        let mut found: Vec<Listed> = Vec::new();
        loop {
            let marker = found.last().map(|last| last.name.clone()).unwrap_or_default();
            let query = [("format", "json"), ("prefix", prefix), ("marker", marker.as_str())];
            let ask = Ask { query: &query, ..Ask::new(Method::GET) };
            let answer = container.ask_again(&ask).await?;
            let page: Vec<Listed> = answer.json().await.map_err(|e| self.account.away(e))?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }

    pub(super) async fn remove_only(&self) -> Result<()> {
        self.ask_again(&Ask::new(Method::DELETE)).await.map(drop)
    }
}
