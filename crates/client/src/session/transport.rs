//! Sending, and sending again.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Certificate, Client, RequestBuilder, Response};

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
            let outcome = build(&self.client).send().await;
            let Some(wait) = self.wait_after(attempt, repeat, &outcome) else {
                return outcome.map_err(no_answer);
            };
            tracing::warn!(attempt, ?wait, "{}; trying again", failure(&outcome));
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
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

fn failure(outcome: &reqwest::Result<Response>) -> String {
    match outcome {
        Ok(response) => format!("HTTP {} from {}", response.status(), response.url()),
        Err(error) => error.to_string(),
    }
}

/// The address is part of our own message; it is taken out of the cause.
pub(crate) fn no_answer(error: reqwest::Error) -> Error {
    let url = error.url().map_or_else(|| "the service".to_owned(), ToString::to_string);
    Error::NoAnswer { url, source: error.without_url() }
}
