//! The HTTP client of a store.

use std::error::Error as StdError;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Whose certificates are believed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Authorities<'a> {
    /// The system's authorities.
    System,
    /// Those in this PEM file.
    File(&'a Path),
    /// Anybody: certificates are not looked at.
    Anybody,
}

/// A client that follows no redirects: credentials go where the operator says. Errors: the file of
/// authorities can't be read, or holds none.
pub(crate) fn client(authorities: Authorities<'_>) -> io::Result<Client> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .tcp_nodelay(true);
    let builder = match authorities {
        Authorities::System => builder,
        Authorities::File(path) => builder.tls_certs_only(certificates(path)?),
        Authorities::Anybody => builder.tls_danger_accept_invalid_certs(true),
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
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
