//! Requests to Cinder: with a token that is renewed, repeated where it may help.

use std::collections::BTreeMap;
use std::time::Duration;

use client::cloud::KeystoneLogin;
use reqwest::{Method, Response, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::remote::{Failed, Grant, Grants, Http, Wanted, attempted, reason};
use crate::{Error, Result};

/// What is spoken: attachments have a mode since then (Cinder's "REST API Version History").
const VERSION: &str = "volume 3.54";

/// Cinder, and who asks it.
pub(super) struct Session {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) http: Http,
    pub(super) login: KeystoneLogin,
    pub(super) wanted: Wanted,
    /// How often a request is made, at most.
    pub(super) attempts: u32,
    /// How often an attachment is asked for while others have the volume, at most.
    pub(super) attachment_attempts: u32,
    /// How long a volume may take to come into another state.
    pub(super) patience: Duration,
    pub(super) grants: Grants,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Below the service's URL.
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a Value>,
    /// What errors call it.
    pub(super) what: &'a str,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, path: &'a str, what: &'a str) -> Self {
        Self { method, path, query: &[], body: None, what }
    }
}

impl Session {
    /// Asks, and again where a failure may pass. The answer is a success.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Response> {
        attempted(self.attempts, || self.ask_once(ask)).await
    }

    /// Asks for something that is read. Errors: those of `ask`; it is something else.
    pub(super) async fn read<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T> {
        let answer = self.ask(ask).await?;
        answer.json().await.map_err(|error| self.away(error))
    }

    /// Asks once. Errors: `Passing` where another attempt may help, so also where the token was
    /// refused, which is renewed then.
    pub(super) async fn ask_once(&self, ask: &Ask<'_>) -> Result<Response, Failed> {
        let log_in = Grant::of_keystone(&self.store, &self.wanted, &self.login);
        let grant = self.grants.get(&self.wanted, log_in).await?;
        let url = format!("{}/{}", grant.service.as_str().trim_end_matches('/'), ask.path);
        let mut request = self
            .http
            .request(ask.method.clone(), url)
            .query(ask.query)
            .header("x-auth-token", grant.token.expose())
            .header("openstack-api-version", VERSION)
            .header(header::ACCEPT, "application/json");
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        let answer = self.http.ask(request, |why| self.failing(why)).await?;
        let status = answer.status();
        if status == StatusCode::UNAUTHORIZED {
            self.grants.forget(&grant);
        }
        match status.is_success() {
            true => Ok(answer),
            false => Err(self.failure(ask.what, status, explanation(answer).await)),
        }
    }

    fn failure(&self, what: &str, status: StatusCode, explained: String) -> Failed {
        let store = self.store.clone();
        let why = format!("{what} is answered with {status}: {explained}");
        match status {
            StatusCode::UNAUTHORIZED => Failed::Passing(Error::Forbidden { store, why }),
            StatusCode::FORBIDDEN => Failed::Lasting(Error::Forbidden { store, why }),
            StatusCode::NOT_FOUND => Failed::Lasting(Error::NotFound(what.to_owned())),
            // Of a quota.
            StatusCode::PAYLOAD_TOO_LARGE => Failed::Lasting(Error::Full(store)),
            // The volume is in a state that allows no such thing.
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT => {
                Failed::Lasting(Error::InUse { uri: what.to_owned(), why: explained })
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

    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.store.clone(), why: why.into() }
    }

    pub(super) fn away(&self, error: reqwest::Error) -> Error {
        self.failing(reason(error))
    }
}

#[derive(Deserialize)]
struct Explanation {
    message: String,
}

/// What Cinder says of a failure: `{"badRequest": {"code": 400, "message": "…"}}`.
async fn explanation(answer: Response) -> String {
    let said: Option<BTreeMap<String, Explanation>> = answer.json().await.ok();
    let said = said.and_then(|said| said.into_values().next());
    said.map_or_else(|| "no explanation".to_owned(), |said| said.message)
}
