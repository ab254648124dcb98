//! A connection to a cloud, logged in.

mod explain;
pub(crate) mod transport;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

pub(crate) use explain::explain;
pub(crate) use transport::Repeat;

use crate::cloud::Login;
use crate::keystone::{self, Token};
use crate::{Cloud, Error, Images, Result, Retry, Tasks};
use transport::Transport;

/// Long enough for a busy service to answer anything but a transfer.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// A cloud and, from the first request on, a token for it. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    transport: Transport,
    token: Mutex<Option<Arc<Token>>>,
}

impl Session {
    /// The cloud that the caller names or the environment means; see [`Cloud::from_env`]. Nothing
    /// is sent before the first request.
    pub fn from_env(cloud: Option<&str>) -> Result<Self> {
        Self::new(Cloud::from_env(cloud)?, Retry::default())
    }

    /// A session with `cloud`.
    pub fn new(cloud: Cloud, retry: Retry) -> Result<Self> {
        let transport = Transport::new(&cloud.trust, retry)?;
        Ok(Self(Arc::new(Inner { cloud, transport, token: Mutex::new(None) })))
    }

    /// The cloud's images.
    pub fn images(&self) -> Images {
        Images::new(self.clone())
    }

    /// What the cloud's image service is at work on.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.clone())
    }

    /// The cloud that this is a session with.
    pub fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    pub(crate) fn retry(&self) -> &Retry {
        &self.0.transport.retry
    }

    /// A small request: whole in memory, answered soon. See [`Session::send`].
    pub(crate) async fn ask(
        &self,
        repeat: Repeat,
        build: impl Fn(&Client, &Url) -> RequestBuilder,
    ) -> Result<Response> {
        let build = |client: &Client, root: &Url| {
            build(client, root)
                // Glance explains itself in HTML otherwise.
                .header(reqwest::header::ACCEPT, "application/json")
                .timeout(ANSWER_WITHIN)
        };
        self.send(repeat, build).await
    }

    /// Sends what `build` makes of the client and the image service's address, with a token; when
    /// the token is refused, once more with a new one. What is no success is an error.
    pub(crate) async fn send(
        &self,
        repeat: Repeat,
        build: impl Fn(&Client, &Url) -> RequestBuilder,
    ) -> Result<Response> {
        let mut response = self.send_with_token(repeat, &build).await?;
        if response.status() == StatusCode::UNAUTHORIZED && self.can_log_in_again() {
            self.forget_token();
            response = self.send_with_token(repeat, &build).await?;
        }
        let status = response.status();
        if !status.is_success() {
            return Err(Error::Refused { status, message: explain(response).await });
        }
        Ok(response)
    }

    async fn send_with_token(
        &self,
        repeat: Repeat,
        build: &impl Fn(&Client, &Url) -> RequestBuilder,
    ) -> Result<Response> {
        let token = self.token().await?;
        let root = self.image_service(token.as_deref())?;
        let with_token = |client: &Client| match &token {
            Some(token) => build(client, &root).header("X-Auth-Token", token.secret.expose()),
            None => build(client, &root),
        };
        self.0.transport.send(repeat, with_token).await
    }

    async fn token(&self) -> Result<Option<Arc<Token>>> {
        let Some(known) = self.known_token() else {
            return self.new_token().await;
        };
        Ok(Some(known))
    }

    async fn new_token(&self) -> Result<Option<Arc<Token>>> {
        let token = match &self.0.cloud.login {
            Login::None => return Ok(None),
            Login::Given(secret) => Token {
                secret: secret.clone(),
                expires_at: None,
                catalog: keystone::Catalog::default(),
            },
            Login::Keystone(login) => keystone::log_in_by(&self.0.transport, login).await?,
        };
        let token = Arc::new(token);
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&token));
        Ok(Some(token))
    }

    fn known_token(&self) -> Option<Arc<Token>> {
        let token = self.0.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone().filter(|token| token.is_fresh(Timestamp::now()))
    }

    fn forget_token(&self) {
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn can_log_in_again(&self) -> bool {
        matches!(self.0.cloud.login, Login::Keystone(_))
    }

    /// The image service's address, without a version.
    fn image_service(&self, token: Option<&Token>) -> Result<Url> {
        let cloud = &self.0.cloud;
        let endpoint = match (&cloud.image_endpoint, token) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, token) => {
                let empty = keystone::Catalog::default();
                let catalog = token.map_or(&empty, |token| &token.catalog);
                catalog.image_service(&cloud.interface, cloud.region.as_deref())?
            }
        };
        Ok(without_version(endpoint))
    }
}

/// Catalogs name the image service with or without `/v2`.
fn without_version(mut endpoint: Url) -> Url {
    let path = endpoint.path().trim_end_matches('/').to_owned();
    let (before, last) = path.rsplit_once('/').unwrap_or(("", ""));
    let is_version = last.strip_prefix('v').is_some_and(|v| v.starts_with(['1', '2']));
    endpoint.set_path(if is_version { before } else { &path });
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_taken_off_the_endpoint() {
        for (endpoint, expected) in [
            ("http://g:9292", "http://g:9292/"),
            ("http://g:9292/v2/", "http://g:9292/"),
            ("http://g/image/v2.9", "http://g/image"),
            ("http://g/volumes", "http://g/volumes"),
        ] {
            assert_eq!(without_version(endpoint.parse().unwrap()).as_str(), expected);
        }
    }
}
