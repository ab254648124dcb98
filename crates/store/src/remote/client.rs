//! The HTTP client of a store.

use std::error::Error as StdError;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use client::cloud::Trust;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, IntoUrl, Method, RequestBuilder, Response};

use super::outgoing::Outgoing;
use super::retry::Failed;
use crate::kind::Options;
use crate::{Error, SettingsError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// How a store asks its servers. It follows no redirects: credentials go where the operator says.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    asking: Client,
    /// Its limit of silence would end requests whose body takes longer to come.
    sending: Client,
}

impl Http {
    /// Where there is a file of authorities, they are believed alone; where anybody is trusted,
    /// certificates are not looked at. Errors: the file can't be read, or holds none.
    pub(crate) fn trusting(trust: &Trust) -> io::Result<Self> {
        let asking = builder(trust)?.read_timeout(SILENCE);
        let built = |builder: ClientBuilder| builder.build().map_err(io::Error::other);
        Ok(Self { asking: built(asking)?, sending: built(builder(trust)?)? })
    }

    /// A request that is to be made.
    pub(crate) fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        self.asking.request(method, url)
    }

    /// Makes a request that has no body, or a short one. `error` is that of its server being away.
    /// Errors: `Passing`, or `Silent`.
    pub(crate) async fn ask(
        &self,
        request: RequestBuilder,
        error: impl FnOnce(String) -> Error,
    ) -> Result<Response, Failed> {
        request.send().await.map_err(|why| unanswered(why, error))
    }

    /// Makes a request with a body, which may take as long as its server takes it. Errors: as of
    /// [`ask`](Self::ask).
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        body: Outgoing,
        error: impl FnOnce(String) -> Error,
    ) -> Result<Response, Failed> {
        let Outgoing { body, progress } = body;
        let answer = async { self.sending.execute(request.body(body).build()?).await };
        tokio::select! {
            answer = answer => answer.map_err(|why| unanswered(why, error)),
            () = progress.stalls(SILENCE) => {
                let why = format!("nothing was taken or answered for {} s", SILENCE.as_secs());
                Err(Failed::Silent(error(why)))
            }
        }
    }
}

impl Options<'_> {
    /// What a store with these options asks with. Errors: the file of authorities can't be read, or
    /// holds none.
    pub(crate) fn http(&self, trust: &Trust) -> Result<Http, SettingsError> {
        Http::trusting(trust).map_err(|cause| SettingsError::Open {
            section: self.section().to_owned(),
            cause: Error::Io {
                store: trust.authorities.clone().unwrap_or_default().display().to_string(),
                cause,
            },
        })
    }
}

fn builder(trust: &Trust) -> io::Result<ClientBuilder> {
    let builder =
        Client::builder().redirect(Policy::none()).connect_timeout(CONNECT).tcp_nodelay(true);
    Ok(match (&trust.authorities, trust.anyone) {
        (_, true) => builder.tls_danger_accept_invalid_certs(true),
        (Some(path), false) => builder.tls_certs_only(certificates(path)?),
        (None, false) => builder,
    })
}

fn certificates(path: &Path) -> io::Result<Vec<Certificate>> {
    let text = fs::read(path)?;
    let found = Certificate::from_pem_bundle(&text).map_err(io::Error::other)?;
    match found.is_empty() {
        true => Err(io::Error::other("there is no certificate in it")),
        false => Ok(found),
    }
}

/// A request that came to no answer, with the error that is made of why.
pub(crate) fn unanswered(why: reqwest::Error, error: impl FnOnce(String) -> Error) -> Failed {
    match why.is_timeout() {
        true => Failed::Silent(error(reason(why))),
        false => Failed::Passing(error(reason(why))),
    }
}

/// Why a request failed, with what it failed for; without its URL, which may hold credentials.
pub(crate) fn reason(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

/// An error and what it came from, in one line.
pub(crate) fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
