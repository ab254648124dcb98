//! Requests to a service: signed, sent, repeated where it may help.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use openssl::hash::{MessageDigest, hash};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};

use super::answer::{failure, text};
use super::endpoint::{Endpoint, Place};
use super::sign::{self, Credentials, EMPTY, UNSIGNED, query, sign};
use crate::remote::{Failed, Http, Outgoing, Part, hex, reason, retried};
use crate::{Error, Result};

/// How long the text of an answer that explains a failure may take.
const EXPLANATION: Duration = Duration::from_secs(10);

/// A service, and who asks it.
#[derive(Clone)]
pub(super) struct Service {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) http: Http,
    pub(super) endpoint: Endpoint,
    pub(super) region: String,
    pub(super) credentials: Credentials,
    /// Whether it has said that it does not know [`UNLESS_THERE`]. Then it is not asked any more
    /// to look by itself; whoever uploads has looked before.
    pub(super) knows_no_conditions: Arc<AtomicBool>,
}

/// A request is made only where nothing is: of two writers, the services that know this header
/// refuse the second one.
pub(super) const UNLESS_THERE: (&str, &str) = ("if-none-match", "*");

/// What is asked for: a bucket, or an object in it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) service: Arc<Service>,
    pub(super) bucket: String,
    /// Empty for the bucket itself.
    pub(super) key: String,
}

/// What a request sends.
pub(super) enum Payload<'a> {
    None,
    /// A text, such as XML.
    Text(&'a str),
    /// A part that is held, and so can be sent again.
    Part(&'a Part),
    /// As many bytes as that, which come as they come.
    Stream(Outgoing, u64),
}

/// A request, but for the target.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// Names in lower case, and values; signed.
    pub(super) headers: &'a [(&'a str, &'a str)],
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method) -> Self {
        Self { method, query: &[], headers: &[] }
    }
}

impl Target {
    /// What errors call it: without credentials.
    pub(super) fn shown(&self) -> String {
        let service = self.service.endpoint.service();
        format!("{}://{service}/{}/{}", self.service.endpoint.scheme(), self.bucket, self.key)
    }

    /// Asks once. The answer is a success. Errors: as [`failure`] tells them; `Unavailable`.
    pub(super) async fn ask(
        &self,
        ask: &Ask<'_>,
        payload: Payload<'_>,
    ) -> Result<Response, Failed> {
        let digests = Digests::of(&self.service, &payload).await?;
        let place = self.service.endpoint.place(&self.bucket, &self.key);
        let request = self.request(ask, &place, &digests)?;
        let long = |request: RequestBuilder, length| request.header(header::CONTENT_LENGTH, length);
        let (http, failing) = (&self.service.http, |why| self.failing(why));
        let response = match payload {
            Payload::None => http.ask(request, failing).await,
            Payload::Text(text) => http.ask(request.body(text.to_owned()), failing).await,
            Payload::Part(part) if part.length == 0 => {
                http.ask(long(request, 0).body(""), failing).await
            }
            Payload::Part(part) => {
                http.send(long(request, part.length), part.body(), failing).await
            }
            Payload::Stream(body, length) => http.send(long(request, length), body, failing).await,
        }?;
        if response.status() == StatusCode::NOT_IMPLEMENTED && ask.headers.contains(&UNLESS_THERE) {
            tracing::warn!(store = self.service.store, "the service knows no If-None-Match");
            self.service.knows_no_conditions.store(true, Ordering::SeqCst);
        }
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.failed(response).await),
        }
    }

    /// Asks, and again where a failure may pass; the payload is none or a text.
    pub(super) async fn ask_again(&self, ask: &Ask<'_>, text: Option<&str>) -> Result<Response> {
        retried(|| self.ask(ask, text.map_or(Payload::None, Payload::Text))).await
    }

    /// The text of an answer.
    pub(super) async fn text_of(&self, response: Response) -> Result<String> {
        response.text().await.map_err(|error| self.away(error))
    }

    fn request(
        &self,
        ask: &Ask<'_>,
        place: &Place,
        digests: &Digests,
    ) -> Result<RequestBuilder, Error> {
        let service = &self.service;
        let mut headers = ask.headers.to_vec();
        if service.knows_no_conditions.load(Ordering::SeqCst) {
            headers.retain(|header| *header != UNLESS_THERE);
        }
        headers.push(("host", &place.host));
        if let Some(md5) = &digests.md5 {
            headers.push(("content-md5", md5));
        }
        let path = if place.path.is_empty() { "/" } else { &place.path };
        let request = sign::Request {
            method: ask.method.as_str(),
            path,
            query: ask.query,
            headers: &headers,
            payload: &digests.payload,
        };
        let signed = sign(&request, &service.credentials, &service.region, Timestamp::now());
        let signed = signed.map_err(|error| self.failing(error.to_string()))?;
        let url = place.url(&query(ask.query));
        let mut builder = service.http.request(ask.method.clone(), url);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        for (name, value) in signed {
            builder = builder.header(name, value);
        }
        Ok(builder)
    }

    async fn failed(&self, response: Response) -> Failed {
        let status = response.status();
        let region = response.headers().get("x-amz-bucket-region");
        let region = region.and_then(|region| region.to_str().ok()).filter(|text| !text.is_empty());
        let region = region.map(str::to_owned);
        // The body only explains: without one, the status has to do.
        let body = tokio::time::timeout(EXPLANATION, response.text()).await;
        let body = body.ok().and_then(|body| body.ok()).unwrap_or_default();
        let region = region.or_else(|| text(&body, "Region"));
        let region = region.filter(|region| *region != self.service.region);
        match elsewhere(status, region.as_deref(), text(&body, "Endpoint").as_deref()) {
            Some(place) => {
                Failed::Lasting(self.failing(format!("the bucket '{}' is {place}", self.bucket)))
            }
            None => failure(&self.service.store, &self.shown(), status, &body),
        }
    }

    pub(super) fn away(&self, error: reqwest::Error) -> Error {
        self.failing(reason(error))
    }

    pub(super) fn failing(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { store: self.service.store.clone(), why: why.into() }
    }
}

/// Where a bucket is that a service does not look for here, and which option says so. A request that
/// is signed for another region may be a wrong one, too.
fn elsewhere(status: StatusCode, region: Option<&str>, endpoint: Option<&str>) -> Option<String> {
    let is_redirected =
        [StatusCode::MOVED_PERMANENTLY, StatusCode::TEMPORARY_REDIRECT].contains(&status);
    match (region, endpoint) {
        (Some(region), _) if is_redirected || status == StatusCode::BAD_REQUEST => {
            Some(format!("in the region '{region}': set s3_store_region_name = {region}"))
        }
        (None, Some(endpoint)) if is_redirected => {
            Some(format!("at '{endpoint}': name that service in s3_store_host"))
        }
        _ if is_redirected => {
            Some("elsewhere: set s3_store_host and s3_store_region_name to where it is".to_owned())
        }
        _ => None,
    }
}

/// What protects a payload on its way. Over TLS a changed byte is noticed by the connection, so the
/// MD5 sum is for the service's own way to its disks; without TLS the signature covers the bytes.
struct Digests {
    payload: Cow<'static, str>,
    md5: Option<String>,
}

impl Digests {
    async fn of(service: &Service, payload: &Payload<'_>) -> Result<Self> {
        let plain = |payload| Self { payload: Cow::Borrowed(payload), md5: None };
        let failed = |why: String| Error::Unavailable { store: service.store.clone(), why };
        match payload {
            Payload::None => Ok(plain(EMPTY)),
            Payload::Stream(..) => Ok(plain(UNSIGNED)),
            Payload::Text(text) => {
                let digest = sign::sha256(text.as_bytes()).map_err(|e| failed(e.to_string()))?;
                // Requests that delete several objects or complete an upload want it.
                let md5 = hash(MessageDigest::md5(), text.as_bytes())
                    .map_err(|e| failed(e.to_string()))?;
                let md5 = Some(openssl::base64::encode_block(&md5));
                Ok(Self { payload: Cow::Owned(digest), md5 })
            }
            Payload::Part(part) => {
                let (part, secure) = (Part::clone(part), service.endpoint.is_secure());
                let digest = tokio::task::spawn_blocking(move || digest(&part, secure)).await;
                digest.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
            }
        }
    }
}

/// The digest of a part: much work, to be done where it keeps nobody waiting.
fn digest(part: &Part, secure: bool) -> Result<Digests, openssl::error::ErrorStack> {
    let kind = if secure { MessageDigest::md5() } else { MessageDigest::sha256() };
    let mut hasher = openssl::hash::Hasher::new(kind)?;
    for piece in &part.pieces {
        hasher.update(piece)?;
    }
    let digest = hasher.finish()?;
    Ok(match secure {
        true => Digests {
            payload: Cow::Borrowed(UNSIGNED),
            md5: Some(openssl::base64::encode_block(&digest)),
        },
        false => Digests { payload: Cow::Owned(hex(&digest)), md5: None },
    })
}
