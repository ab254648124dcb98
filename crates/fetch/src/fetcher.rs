//! Fetching, one connection for each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Proxy, Response, StatusCode, Url, header};

use crate::error::shown;
use crate::{Admitted, Error, Filter, Result, filter};

/// Redirects that are followed, at most: glance_store's `MAX_REDIRECTS`.
const REDIRECTS: usize = 5;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(30);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes on their way.
pub type Data = BoxStream<'static, Result<Bytes>>;

/// Whose certificates are believed.
#[derive(Clone, Default)]
pub enum Trust {
    /// The system's authorities.
    #[default]
    System,
    /// These authorities alone.
    Only(Vec<Certificate>),
    /// Anybody.
    Anybody,
}

/// A server's answer.
pub struct Answer {
    /// How many bytes there are in all, where the server says so.
    pub length: Option<u64>,
    /// The bytes that were asked for.
    pub data: Data,
}

/// Fetches what a filter lets through.
#[derive(Clone)]
pub struct Fetcher {
    filter: Filter,
    trust: Trust,
    /// A proxy for each scheme that has one.
    proxies: BTreeMap<String, Proxy>,
}

impl Fetcher {
    /// A fetcher that connects itself and trusts whom the system does.
    pub fn new(filter: Filter) -> Self {
        Self { filter, trust: Trust::default(), proxies: BTreeMap::new() }
    }

    /// The same, with other trust.
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// The same, by proxies: one for each scheme. A proxy looks names up itself; those that are known
    /// here may lead inside no more than without one. Errors: `Settings`, where one is no URL.
    pub fn by(self, proxies: BTreeMap<String, String>) -> Result<Self> {
        let proxy = |(scheme, url): (String, String)| Ok((scheme, Proxy::all(url)?));
        let proxies = proxies.into_iter().map(proxy).collect::<reqwest::Result<_>>();
        Ok(Self { proxies: proxies.map_err(Error::Settings)?, ..self })
    }

    /// Looks at a URL that a user names, and looks its host up. Errors: `NoUrl`, `Refused`,
    /// `Unresolved`.
    pub async fn admit(&self, url: &str) -> Result<Admitted> {
        self.resolve(self.filter.judge(url)?).await
    }

    /// Looks at a URL that a record names: only at where it leads, for what may be named was
    /// decided when it was. Errors: `NoUrl`, `Refused`, `Unresolved`.
    pub async fn locate(&self, url: &str) -> Result<Admitted> {
        self.resolve(filter::parse(url)?).await
    }

    /// A name that is not found here may be known to the proxy, where there is one.
    async fn resolve(&self, url: Url) -> Result<Admitted> {
        match self.filter.resolve(url.clone()).await {
            Err(Error::Unresolved { .. }) if self.proxies.contains_key(url.scheme()) => {
                Ok(Admitted { url, addresses: Vec::new() })
            }
            resolved => resolved,
        }
    }

    /// How many bytes are at an admitted URL; `None` where the server does not say. Errors: as
    /// [`get`](Self::get).
    pub async fn length(&self, admitted: Admitted) -> Result<Option<u64>> {
        Ok(length(&self.follow(admitted, &Method::HEAD, None).await?))
    }

    /// The bytes at an admitted URL, or a part of them; the stream fails with `Short` when fewer
    /// than that come. Errors: `NotFound`, `Status`, `Redirects`, `Unreachable`; `Refused` and
    /// `Unresolved` where it leads on to.
    pub async fn get(&self, admitted: Admitted, part: Option<Range<u64>>) -> Result<Answer> {
        let response = self.follow(admitted, &Method::GET, part.as_ref()).await?;
        let url = shown(response.url());
        let length = length(&response);
        let skipped = match (&part, response.status()) {
            (Some(_), StatusCode::PARTIAL_CONTENT) | (None, _) => 0,
            // A server that knows no ranges sends everything.
            (Some(part), _) => part.start,
        };
        let failed = {
            let url = url.clone();
            move |cause: reqwest::Error| unreachable(&url, cause)
        };
        let data = response.bytes_stream().map(move |piece| piece.map_err(&failed)).boxed();
        let data = match part {
            Some(part) => cut(data, skipped, part.end - part.start, url),
            None => data,
        };
        Ok(Answer { length, data })
    }

    async fn follow(
        &self,
        mut admitted: Admitted,
        method: &Method,
        part: Option<&Range<u64>>,
    ) -> Result<Response> {
        let first = shown(&admitted.url);
        for _ in 0..=REDIRECTS {
            let response = self.ask(&admitted, method, part).await?;
            let url = shown(&admitted.url);
            match response.status() {
                status if status.is_success() => return Ok(response),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Error::NotFound(url)),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let next = response.headers().get(header::LOCATION);
                    let next = next.and_then(|next| admitted.url.join(next.to_str().ok()?).ok());
                    let next = next.ok_or_else(|| Error::Redirects(first.clone()))?;
                    admitted = self.admit(next.as_str()).await?;
                }
                status => return Err(Error::Status { url, status }),
            }
        }
        Err(Error::Redirects(first))
    }

    async fn ask(
        &self,
        admitted: &Admitted,
        method: &Method,
        part: Option<&Range<u64>>,
    ) -> Result<Response> {
        let client = self.client(admitted)?;
        let mut request = client.request(method.clone(), admitted.url.clone());
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            request =
                request.header(header::RANGE, format!("bytes={}-{}", part.start, part.end - 1));
        }
        let url = shown(&admitted.url);
        request.send().await.map_err(|cause| unreachable(&url, cause))
    }

    /// A client that can connect to the admitted addresses alone, and to a proxy.
    fn client(&self, admitted: &Admitted) -> Result<Client> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .resolve_to_addrs(admitted.url.host_str().unwrap_or_default(), &admitted.addresses);
        builder = match &self.trust {
            Trust::System => builder,
            Trust::Only(authorities) => builder.tls_certs_only(authorities.clone()),
            Trust::Anybody => builder.tls_danger_accept_invalid_certs(true),
        };
        if let Some(proxy) = self.proxies.get(admitted.url.scheme()) {
            builder = builder.proxy(proxy.clone());
        }
        builder.build().map_err(Error::Settings)
    }
}

/// The cause without its URL, which may hold credentials.
fn unreachable(url: &str, cause: reqwest::Error) -> Error {
    Error::Unreachable { url: url.to_owned(), cause: cause.without_url() }
}

/// The size of the whole: of an answer to a range, `Content-Range` tells it (RFC 9110, 14.4).
fn length(response: &Response) -> Option<u64> {
    let text = |name| response.headers().get(name)?.to_str().ok();
    match response.status() {
        StatusCode::PARTIAL_CONTENT => text(header::CONTENT_RANGE)?.split_once('/')?.1.parse().ok(),
        _ => text(header::CONTENT_LENGTH)?.parse().ok(),
    }
}

/// Leaves the first `skipped` bytes out and ends after `wanted`.
fn cut(data: Data, skipped: u64, wanted: u64, url: String) -> Data {
    let state = (data, skipped, wanted, url);
    stream::try_unfold(state, |(mut data, mut skipped, wanted, url)| async move {
        if wanted == 0 {
            return Ok(None);
        }
        loop {
            let mut piece = data.next().await.ok_or_else(|| Error::Short(url.clone()))??;
            let over = skipped.min(piece.len() as u64);
            skipped -= over;
            // Neither is longer than the piece.
            let _ = piece.split_to(usize::try_from(over).unwrap_or(usize::MAX));
            piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            if !piece.is_empty() {
                let left = wanted - piece.len() as u64;
                return Ok(Some((piece, (data, skipped, left, url))));
            }
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests;
