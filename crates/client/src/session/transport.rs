//! Sending, and sending again.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, Url, header};

use crate::cloud::Trust;
use crate::retry::{asked_wait, is_passing};
use crate::{Error, Result, Retry};

/// Whether a request may reach the service twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It does the same however often it arrives: repeated after any passing failure.
    Freely,
    /// Repeated only when no connection came about, so that it certainly did not arrive.
    Unsent,
    /// Its body cannot be made again.
    Never,
}

/// The HTTP client and its patience.
pub(crate) struct Transport {
    client: Client,
    pub(crate) retry: Retry,
}

impl Transport {
    pub(crate) fn new(trust: &Trust, retry: Retry) -> Result<Self> {
        let mut builder = Client::builder()
            .user_agent(concat!("tintype/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(|attempt| match stays(&attempt) {
                true => Policy::default().redirect(attempt),
                false => attempt.stop(),
            }))
            .connect_timeout(Duration::from_secs(10))
            // A peer that vanished during a transfer is noticed within about two minutes.
            .tcp_keepalive(Duration::from_secs(30))
            .tls_danger_accept_invalid_certs(trust.anyone);
        if let Some(file) = &trust.authorities {
            let pem = fs::read(file).map_err(Error::file(file, "be read"))?;
            let unfit = |source| Error::Certificates { file: file.clone(), source };
            let authorities = Certificate::from_pem_bundle(&pem).map_err(unfit)?;
            builder = builder.tls_certs_merge(authorities);
        }
        let client = builder.build().map_err(|source| Error::Tls { source })?;
        Ok(Self { client, retry })
    }

    /// Sends a request that may be repeated freely.
    pub(crate) async fn repeat(
        &self,
        build: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response> {
        self.send(Repeat::Freely, build).await
    }

    /// Sends; after a passing failure waits and sends again, as far as `repeat` allows.
    pub(crate) async fn send(
        &self,
        repeat: Repeat,
        build: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response> {
        let mut attempt = 1;
        loop {
            let outcome = self.once(&build).await;
            let Some(wait) = self.wait_after(attempt, repeat, &outcome) else {
                return outcome.map_err(no_answer);
            };
            tracing::warn!(attempt, ?wait, "{}; trying again", failure(&outcome));
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends once. What is read may lie elsewhere: the token is the service's alone, and does not
    /// go there.
    async fn once(&self, build: &impl Fn(&Client) -> RequestBuilder) -> reqwest::Result<Response> {
        let request = build(&self.client).build()?;
        let again = request.try_clone().filter(|request| request.method() == Method::GET);
        let response = self.client.execute(request).await?;
        let Some((mut again, place)) = again.zip(elsewhere(&response)) else {
            return Ok(response);
        };
        *again.url_mut() = place;
        again.headers_mut().remove("x-auth-token");
        self.client.execute(again).await
    }

    /// How long to wait before sending again; none when the outcome stands.
    fn wait_after(
        &self,
        attempt: u32,
        repeat: Repeat,
        outcome: &reqwest::Result<Response>,
    ) -> Option<Duration> {
        let (worthwhile, asked) = match (repeat, outcome) {
            (Repeat::Freely, Ok(answer)) => {
                (is_passing(answer.status()), asked_wait(answer.headers(), Timestamp::now()))
            }
            (Repeat::Freely, Err(error)) => (!error.is_builder() && !error.is_timeout(), None),
            (Repeat::Unsent, Err(error)) => (error.is_connect(), None),
            _ => (false, None),
        };
        if worthwhile { self.retry.wait_after(attempt, asked) } else { None }
    }
}

/// Whether a redirection leads to the same service: to the same origin, or from HTTP to HTTPS.
fn stays(attempt: &Attempt<'_>) -> bool {
    let Some(first) = attempt.previous().first() else { return false };
    let next = attempt.url();
    let is_secured = first.scheme() == "http" && next.scheme() == "https";
    first.origin() == next.origin() || is_secured && first.host() == next.host()
}

/// Where an answer sends on to.
fn elsewhere(response: &Response) -> Option<Url> {
    let place = response.headers().get(header::LOCATION)?.to_str().ok()?;
    response.status().is_redirection().then(|| response.url().join(place).ok())?
}

fn failure(outcome: &reqwest::Result<Response>) -> String {
    match outcome {
        Ok(response) => format!("HTTP {} from {}", response.status(), shown(response.url())),
        Err(error) => match error.url() {
            Some(url) => error.to_string().replace(url.as_str(), &shown(url)),
            None => error.to_string(),
        },
    }
}

/// An address as it may be told: what follows may open it to everybody.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

/// The address is part of our own message; it is taken out of the cause.
pub(crate) fn no_answer(error: reqwest::Error) -> Error {
    let url = error.url().map_or_else(|| "the service".to_owned(), shown);
    Error::NoAnswer { url, source: error.without_url() }
}
