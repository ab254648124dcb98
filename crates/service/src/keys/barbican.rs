//! Barbican, as its users: the token of whoever calls is the token that it sees.
//!
//! Reference: "Secrets API" of Barbican's API guide.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::{Certificate, Client, RequestBuilder, Response, redirect};
use serde::Deserialize;

use super::Missing;
use super::endpoint::Endpoint;
use super::settings::BarbicanSettings;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a secret at most: far above any certificate.
const LARGEST: usize = 256 * 1024;

const TOKEN: &str = "x-auth-token";

/// The token of a caller. Never shown.
#[derive(Clone)]
pub(crate) struct Token(HeaderValue);

impl Token {
    /// The token of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut value = headers.get(TOKEN)?.clone();
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// As the header that it came in.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What Barbican tells of a secret.
#[derive(Deserialize)]
struct About {
    /// By names, of which there is one: `default`. None on a secret without a payload.
    #[serde(default)]
    content_types: BTreeMap<String, String>,
}

pub(super) fn unreadable() -> Missing {
    Missing::Failed("the key manager's answer is not understood".to_owned())
}

/// Barbican at its endpoint.
pub(super) struct Barbican {
    client: Client,
    endpoint: Endpoint,
}

impl Barbican {
    pub(super) fn new(settings: &BarbicanSettings) -> io::Result<Self> {
        let mut client = Client::builder()
            .timeout(PATIENCE)
            // A token goes to the endpoint that was configured, and nowhere else.
            .redirect(redirect::Policy::none())
            .tls_danger_accept_invalid_certs(!settings.verify_tls);
        if let Some(path) = &settings.authorities {
            let unread = |error: io::Error| {
                io::Error::new(error.kind(), format!("verify_ssl_path {}: {error}", path.display()))
            };
            let pem = std::fs::read(path).map_err(unread)?;
            client = client.tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(invalid)?);
        }
        Ok(Self { client: client.build().map_err(invalid)?, endpoint: Endpoint::new(settings) })
    }

    /// The payload of a secret whose id is a UUID.
    pub(super) async fn secret(&self, id: &str, token: Option<&Token>) -> Result<Vec<u8>, Missing> {
        let url = self.url(id, token).await?;
        let about = self.client.get(&url).header(header::ACCEPT, "application/json");
        let about = read(send(about, token).await?).await?;
        let about: About = serde_json::from_slice(&about).map_err(|_| unreadable())?;
        // Barbican gives a payload only to who names its type.
        let kind = about.content_types.get("default").ok_or(Missing::NotFound)?;
        let payload = self.client.get(format!("{url}/payload")).header(header::ACCEPT, kind);
        read(send(payload, token).await?).await
    }

    /// Deletes a secret whose id is a UUID.
    pub(super) async fn delete(&self, id: &str, token: Option<&Token>) -> Result<(), Missing> {
        send(self.client.delete(self.url(id, token).await?), token).await.map(drop)
    }

    async fn url(&self, id: &str, token: Option<&Token>) -> Result<String, Missing> {
        Ok(format!("{}/{id}", self.endpoint.secrets(&self.client, token).await?))
    }
}

fn invalid(error: reqwest::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

pub(super) async fn send(
    request: RequestBuilder,
    token: Option<&Token>,
) -> Result<Response, Missing> {
    let request = match token {
        Some(Token(token)) => request.header(TOKEN, token.clone()),
        None => request,
    };
    let response = request.send().await.map_err(failed)?;
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::NOT_FOUND => Err(Missing::NotFound),
        status => Err(Missing::Failed(format!("the key manager answered {status}"))),
    }
}

pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, Missing> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LARGEST {
            return Err(Missing::Failed(format!("the secret is over {LARGEST} bytes")));
        }
    }
    Ok(bytes)
}

fn failed(error: reqwest::Error) -> Missing {
    Missing::Failed(format!("the key manager can't be reached: {}", error.without_url()))
}
