//! Why there are no bytes. Texts name URLs without credentials and queries.

use std::io;

use reqwest::{StatusCode, Url};
use thiserror::Error;

/// The result of fetching.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there are no bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no URL with a host.
    #[error("it is no URL of a host")]
    NoUrl,
    /// The URL may not be fetched.
    #[error("{url} may not be fetched: {why}")]
    Refused {
        /// The URL.
        url: String,
        /// What about it.
        why: &'static str,
    },
    /// The host's name has no address.
    #[error("the host of {url} is not found: {cause}")]
    Unresolved {
        /// The URL.
        url: String,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// There is nothing at the URL.
    #[error("there is nothing at {0}")]
    NotFound(String),
    /// The server refuses.
    #[error("{url} answers {status}")]
    Status {
        /// The URL.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// The server sends elsewhere, again and again, or nowhere.
    #[error("{0} leads from one place to another without end")]
    Redirects(String),
    /// The server can't be reached, or breaks off.
    #[error("{url} can't be read: {cause}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// Fewer bytes come than were asked for.
    #[error("{0} ends early")]
    Short(String),
    /// The fetcher's own settings can't be.
    #[error("the settings for fetching can't be used: {0}")]
    Settings(#[source] reqwest::Error),
}

/// A URL as it may be shown.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), authority(url), url.path())
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
