//! `web-download`: what is at a URL. Each address on the way is checked, redirects too.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::header;
use reqwest::{Client, Response, Url, redirect};
use thiserror::Error;

use super::super::filter::Filter;
use super::super::run::Failure;
use super::Opened;

/// As many as any client follows.
const REDIRECTS: usize = 10;
const CONNECT: Duration = Duration::from_secs(30);
/// Silence of the server at most.
const IDLE: Duration = Duration::from_secs(60);

/// Why nothing can be downloaded. Never says the URL, which may hold a password.
#[derive(Debug, Error)]
pub(in crate::imports) enum Download {
    #[error("no answer: {0}")]
    NoAnswer(#[source] reqwest::Error),
    #[error("the server answered {0}")]
    Status(reqwest::StatusCode),
    #[error("a redirect leads nowhere")]
    Redirect,
    #[error("there are more than {REDIRECTS} redirects")]
    Circle,
}

pub(super) async fn open(filter: &Filter, url: &str) -> Result<Opened, Failure> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let (target, addresses) = filter.admit(&url).await?;
        let response = fetch(&target, &addresses).await.map_err(Download::NoAnswer)?;
        match response.status() {
            status if status.is_redirection() => url = next(&target, &response)?,
            status if status.is_success() => return Ok(opened(response)),
            status => return Err(Download::Status(status).into()),
        }
    }
    Err(Download::Circle.into())
}

/// A request to one of the addresses that were checked, and no further.
async fn fetch(url: &Url, addresses: &[SocketAddr]) -> Result<Response, reqwest::Error> {
    let host = url.host_str().unwrap_or_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .read_timeout(IDLE)
        .resolve_to_addrs(host, addresses)
        .build()?;
    client.get(url.clone()).send().await.map_err(reqwest::Error::without_url)
}

fn next(from: &Url, response: &Response) -> Result<String, Failure> {
    let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let to = location.and_then(|location| from.join(location).ok());
    to.map(|url| url.to_string()).ok_or_else(|| Download::Redirect.into())
}

/// The answer's body. One that ends before its length is an error of the stream.
pub(super) fn opened(response: Response) -> Opened {
    let length = response.content_length();
    Opened::plain(Body::new(reqwest::Body::from(response)), length)
}
