//! Keystone v3 as a caller: from credentials to a token and the addresses that come with it.

mod catalog;
mod request;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

pub use catalog::Catalog;

use crate::cloud::{KeystoneLogin, Trust};
use crate::session::explain;
use crate::session::transport::Transport;
use crate::{Error, Result, Retry, Secret};

/// A token and what Keystone says of it.
#[derive(Debug, Clone)]
pub struct Token {
    /// What goes into `X-Auth-Token`.
    pub secret: Secret,
    /// From this instant on it is worthless; unknown for a token that was given.
    pub expires_at: Option<Timestamp>,
    /// Where the services are.
    pub catalog: Catalog,
}

/// A token is renewed when less than this is left of its life, so that it does not end between
/// the request and its check.
const LEAST_LIFE: SignedDuration = SignedDuration::from_secs(30);

impl Token {
    /// Whether the token is still good for a request.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now.duration_until(end) > LEAST_LIFE)
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: TokenBody,
}

#[derive(Deserialize)]
struct TokenBody {
    expires_at: Timestamp,
    #[serde(default)]
    catalog: Catalog,
}

/// Asks the identity service for a token, as a service of its own does. Errors: `LoginRefused`,
/// `NoAnswer`, what the answer is not.
pub async fn log_in(login: &KeystoneLogin, trust: &Trust, retry: Retry) -> Result<Token> {
    log_in_by(&Transport::new(trust, retry)?, login).await
}

/// Asks the identity service for a token.
pub(crate) async fn log_in_by(transport: &Transport, login: &KeystoneLogin) -> Result<Token> {
    let KeystoneLogin { auth_url, proof, scope } = login;
    let v3 = find_v3(transport, auth_url).await;
    let url = below(&v3, "auth/tokens");
    let body = request::auth_request(proof, scope);
    // Asking for a token changes nothing that a second request would change again.
    let response = transport.repeat(|client| client.post(url.clone()).json(&body)).await?;
    match response.status() {
        StatusCode::CREATED | StatusCode::OK => read_token(response).await,
        StatusCode::UNAUTHORIZED => {
            let reason = explain(response).await;
            Err(Error::LoginRefused { url: v3.to_string(), who: request::who(proof), reason })
        }
        status => Err(Error::Refused { status, message: explain(response).await }),
    }
}

#[derive(Deserialize)]
struct CatalogAnswer {
    catalog: Catalog,
}

/// Asks the identity service for the catalog of a token that somebody else has got. Source: "Get
/// service catalog" of the Identity API v3. Errors: `Refused`, `NoAnswer`, what the answer is not.
pub async fn catalog(
    auth_url: &Url,
    token: &Secret,
    trust: &Trust,
    retry: Retry,
) -> Result<Catalog> {
    let transport = Transport::new(trust, retry)?;
    let url = below(&find_v3(&transport, auth_url).await, "auth/catalog");
    let ask = |client: &Client| client.get(url.clone()).header("x-auth-token", token.expose());
    let response = transport.repeat(ask).await?;
    match response.status() {
        status if status.is_success() => {
            let unexpected = |error| Error::Answer { url: url.to_string(), reason: chain(&error) };
            Ok(response.json::<CatalogAnswer>().await.map_err(unexpected)?.catalog)
        }
        status => Err(Error::Refused { status, message: explain(response).await }),
    }
}

async fn read_token(response: Response) -> Result<Token> {
    let url = response.url().to_string();
    let unexpected = |reason: String| Error::Answer { url: url.clone(), reason };
    let subject = response.headers().get("x-subject-token").and_then(|value| value.to_str().ok());
    let subject =
        subject.map(Secret::new).ok_or_else(|| unexpected("no X-Subject-Token".to_owned()))?;
    let answer: TokenAnswer = response.json().await.map_err(|error| unexpected(chain(&error)))?;
    Ok(Token {
        secret: subject,
        expires_at: Some(answer.token.expires_at),
        catalog: answer.token.catalog,
    })
}

/// The v3 address: the one configured when it says so, else what the version document says, else
/// `/v3` below it.
async fn find_v3(transport: &Transport, auth_url: &Url) -> Url {
    if auth_url.path().trim_end_matches('/').ends_with("/v3") {
        return auth_url.clone();
    }
    let root = without_version(auth_url);
    let versions = async {
        let response = transport.repeat(|client| client.get(root.clone())).await.ok()?;
        v3_of(&response.json().await.ok()?, &root)
    };
    versions.await.unwrap_or_else(|| below(&root, "v3"))
}

/// `…/v2.0` is how `auth_url` ended before Keystone v3, and is left behind in old files.
fn without_version(auth_url: &Url) -> Url {
    let path = auth_url.path().trim_end_matches('/');
    let mut root = auth_url.clone();
    root.set_path(&format!("{}/", path.strip_suffix("/v2.0").unwrap_or(path)));
    root
}

/// The v3 address of a version document. Of the address that Keystone gives, the path counts: a
/// Keystone behind a proxy often does not know its own scheme, host and port.
fn v3_of(document: &Value, root: &Url) -> Option<Url> {
    let versions = document["versions"]["values"].as_array()?;
    let v3 = versions.iter().find(|v| v["id"].as_str().is_some_and(|id| id.starts_with("v3")))?;
    let links = v3["links"].as_array()?;
    let link = links.iter().find(|link| link["rel"] == "self")?;
    let mut url = root.clone();
    url.set_path(root.join(link["href"].as_str()?).ok()?.path());
    Some(url)
}

/// `path` below `base`, whether or not `base` ends in a slash.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    struct Chain<'a>(&'a dyn std::error::Error);
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            self.0.source().map_or(Ok(()), |source| write!(f, ": {}", Chain(source)))
        }
    }
    Chain(error).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_version_document_gives_the_path_and_the_configuration_the_host() {
        let root: Url = "https://cloud.example/identity/".parse().unwrap();
        let document = |href: &str| {
            let links = json!([{"rel": "self", "href": href}]);
            json!({"versions": {"values": [
                {"id": "v2.0", "links": []},
                {"id": "v3.14", "links": links},
            ]}})
        };
        for (href, expected) in [
            ("http://10.0.0.1:5000/identity/v3/", "https://cloud.example/identity/v3/"),
            ("/v3", "https://cloud.example/v3"),
        ] {
            assert_eq!(v3_of(&document(href), &root).unwrap().as_str(), expected);
        }
        assert_eq!(v3_of(&json!({"error": "none"}), &root), None);
    }

    #[test]
    fn an_old_version_is_taken_off_the_address() {
        for (url, expected) in [
            ("http://k:5000", "http://k:5000/"),
            ("http://k:5000/v2.0/", "http://k:5000/"),
            ("http://k/identity", "http://k/identity/"),
        ] {
            assert_eq!(without_version(&url.parse().unwrap()).as_str(), expected);
        }
    }
}
