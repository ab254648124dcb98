//! The HTTP client of a store.

use std::error::Error as StdError;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use client::cloud::Trust;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use crate::kind::Options;
use crate::{Error, SettingsError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

impl Options<'_> {
    /// The client of a store with these options. Errors: the file of authorities can't be read, or
    /// holds none.
    pub(crate) fn client(&self, trust: &Trust) -> Result<Client, SettingsError> {
        client(trust).map_err(|cause| SettingsError::Open {
            section: self.section().to_owned(),
            cause: Error::Io {
                store: trust.authorities.clone().unwrap_or_default().display().to_string(),
                cause,
            },
        })
    }
}

/// A client that follows no redirects: credentials go where the operator says. Where there is a file
/// of authorities, they are believed alone; where anybody is trusted, certificates are not looked
/// at. Errors: the file can't be read, or holds none.
pub(crate) fn client(trust: &Trust) -> io::Result<Client> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .tcp_nodelay(true);
    let builder = match (&trust.authorities, trust.anyone) {
        (_, true) => builder.tls_danger_accept_invalid_certs(true),
        (Some(path), false) => builder.tls_certs_only(certificates(path)?),
        (None, false) => builder,
    };
    builder.build().map_err(io::Error::other)
}

fn certificates(path: &Path) -> io::Result<Vec<Certificate>> {
    let text = fs::read(path)?;
    let found = Certificate::from_pem_bundle(&text).map_err(io::Error::other)?;
    match found.is_empty() {
        true => Err(io::Error::other("there is no certificate in it")),
        false => Ok(found),
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
