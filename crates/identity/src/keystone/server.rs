//! Keystone over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use openssl::pkey::PKey;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, RequestBuilder, Response, StatusCode};
use tokio::sync::Semaphore;

use super::cache::Expired;
use super::settings::{Settings, Trust, versioned};
use super::token::{Answer, Bearer, Token};

/// Requests to Keystone at one time; more of them wait.
const AT_ONCE: usize = 64;

/// Bytes of an answer that are read at most. Catalogs of large clouds take some tens of thousands.
const MAX_BODY: usize = 4 << 20;

/// The wait before a second connection is tried; it doubles for each further one, as keystoneauth
/// has it.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The version of access rules that we keep to: without it Keystone shows no token that has some.
const ACCESS_RULES: &str = "1.0";

/// Connections that may break without being counted: a server that closes each one behind its answer
/// leaves us some that look open.
const STALE: u32 = 2;

/// Connections that are kept for the next request, fewer than may turn out to be stale.
const IDLE: usize = 2;

/// When no connection came about, the next request waits for this long: a Keystone that is away must
/// not hold up every request for as long as all attempts take.
const PAUSE: Duration = Duration::from_secs(1);

/// Keystone, as far as it is asked. Clones are the same one.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    pub(super) settings: Arc<Settings>,
    places: Arc<Semaphore>,
    away: Arc<Mutex<Option<Instant>>>,
}

/// Our own token.
pub(super) struct Login {
    token: String,
    pub(super) expires_at: Timestamp,
    /// Where tokens are validated.
    url: String,
}

/// What Keystone says of a token.
pub(super) enum Verdict {
    Valid(Bearer),
    Invalid,
    OwnTokenRefused,
}

/// Why Keystone can't be asked. For the log: callers learn nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NoAnswer(String),
    #[error("it refuses the credentials of {whose} (status {status}); see [keystone_authtoken]")]
    Refused { whose: String, status: StatusCode },
    #[error("{whose} may not validate tokens (403): give it the role service or admin")]
    Forbidden { whose: String },
    #[error("it answers with status {0}")]
    Status(StatusCode),
    #[error("its answer is none of the Identity API v3: {0}")]
    Malformed(String),
}

/// Why Keystone can't be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of certificates or keys can't be read.
    #[error("[keystone_authtoken]: can't read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A certificate or key is none.
    #[error("[keystone_authtoken]: {} holds no certificate or key in PEM that can be used", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: reqwest::Error,
    },
    /// The HTTP client can't be made.
    #[error("TLS can't be set up")]
    Tls(#[from] reqwest::Error),
}

impl Server {
    pub(super) fn new(settings: Settings) -> Result<Self, OpenError> {
        let client = Client::builder()
            .user_agent(concat!("tintype/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .pool_max_idle_per_host(IDLE)
            // A redirection would take tokens elsewhere.
            .redirect(Policy::none());
        let client = trust(client, &settings.trust)?.build()?;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { client, settings: Arc::new(settings), places, away: Arc::default() })
    }

    /// A new token of our own.
    pub(super) async fn log_in(&self) -> Result<Login, Failure> {
        let settings = &self.settings;
        let url = format!("{}/auth/tokens", settings.auth_url);
        let request = || self.client.post(&url).json(&settings.credentials.body);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::CREATED => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
                let whose = settings.credentials.whose.clone();
                return Err(Failure::Refused { whose, status });
            }
            status => return Err(Failure::Status(status)),
        }
        let header = response.headers().get("x-subject-token");
        let token = header.and_then(|token| token.to_str().ok()).map(str::to_owned);
        let token = token.ok_or_else(|| Failure::Malformed("no X-Subject-Token".to_owned()))?;
        let body = read(response).await?;
        Ok(Login { token, expires_at: body.expires_at, url: self.validation_url(&body) })
    }

    /// Where the catalog says that Keystone is; where we logged in if it says nothing.
    fn validation_url(&self, body: &Token) -> String {
        let (interface, region) = (&self.settings.interface, self.settings.region.as_deref());
        match body.identity_url(interface, region) {
            Some(url) => format!("{}/auth/tokens", versioned(url)),
            None => {
                tracing::warn!(
                    interface,
                    region,
                    "the catalog has no such endpoint of Keystone; auth_url is used"
                );
                format!("{}/auth/tokens", self.settings.auth_url)
            }
        }
    }

    /// What Keystone says of a token.
    pub(super) async fn validate(
        &self,
        own: &Login,
        token: &str,
        expired: Expired,
    ) -> Result<Verdict, Failure> {
        // The catalog is not needed, and the larger part of an answer.
        let query: &[_] = match expired {
            Expired::Refused => &[("nocatalog", "1")],
            Expired::Accepted => &[("nocatalog", "1"), ("allow_expired", "1")],
        };
        let request = || {
            let request = self.client.get(&own.url).query(query);
            request
                .header("X-Auth-Token", &own.token)
                .header("X-Subject-Token", token)
                .header("OpenStack-Identity-Access-Rules", ACCESS_RULES)
        };
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK => Ok(Verdict::Valid(read(response).await?.bearer())),
            StatusCode::NOT_FOUND => Ok(Verdict::Invalid),
            StatusCode::UNAUTHORIZED => Ok(Verdict::OwnTokenRefused),
            StatusCode::FORBIDDEN => {
                Err(Failure::Forbidden { whose: self.settings.credentials.whose.clone() })
            }
            status => Err(Failure::Status(status)),
        }
    }

    /// Sends a request, unless Keystone was away a moment ago.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let _place = self.places.acquire().await;
        let away = *self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.is_some_and(|since| since.elapsed() < PAUSE) {
            return Err(Failure::NoAnswer("it was away a moment ago".to_owned()));
        }
        self.attempt(request).await.map_err(|error| {
            if error.is_connect() {
                let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
                *away = Some(Instant::now());
            }
            no_answer(error)
        })
    }

    /// Sends a request. When no connection comes about, or one breaks, sends it again as often as
    /// the settings say; all our requests may arrive twice.
    async fn attempt(&self, request: impl Fn() -> RequestBuilder) -> reqwest::Result<Response> {
        let (mut left, mut wait) = (self.settings.retries, FIRST_WAIT);
        let mut stale = STALE;
        loop {
            let error = match request().send().await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            tracing::debug!(%error, "no answer from Keystone");
            let broken = error.is_request() && !error.is_connect() && !error.is_timeout();
            if broken && stale > 0 {
                stale -= 1;
                continue;
            }
            if left == 0 || !(broken || error.is_connect()) {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
            left -= 1;
        }
    }
}

/// The causes too: the error itself only says that something went wrong.
fn no_answer(error: reqwest::Error) -> Failure {
    let error: Box<dyn std::error::Error> = Box::new(error);
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        said = format!("{said}: {next}");
        cause = next.source();
    }
    Failure::NoAnswer(said)
}

async fn read(mut response: Response) -> Result<Token, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(no_answer)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_BODY {
            return Err(Failure::Malformed(format!("more than {MAX_BODY} bytes")));
        }
    }
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|error| Failure::Malformed(error.to_string()))?;
    Ok(answer.token)
}

fn trust(
    mut client: reqwest::ClientBuilder,
    trust: &Trust,
) -> Result<reqwest::ClientBuilder, OpenError> {
    if let Some(path) = &trust.authorities {
        let authorities = Certificate::from_pem_bundle(&file(path)?).map_err(unfit(path))?;
        client = client.tls_certs_only(authorities);
    }
    if let Some(path) = &trust.certificate {
        let key = trust.key.as_ref().unwrap_or(path);
        let pem = pkcs8(file(key)?);
        let identity = Identity::from_pkcs8_pem(&file(path)?, &pem).map_err(unfit(key))?;
        client = client.identity(identity);
    }
    Ok(client.tls_danger_accept_invalid_certs(trust.anyone))
}

/// The key in the one form that is taken; what is no key stays as it is, and is refused then.
fn pkcs8(pem: Vec<u8>) -> Vec<u8> {
    let key = PKey::private_key_from_pem(&pem).and_then(|key| key.private_key_to_pem_pkcs8());
    key.unwrap_or(pem)
}

fn file(path: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(path).map_err(|source| OpenError::File { path: path.to_owned(), source })
}

fn unfit(path: &Path) -> impl Fn(reqwest::Error) -> OpenError {
    move |source| OpenError::Pem { path: path.to_owned(), source }
}
