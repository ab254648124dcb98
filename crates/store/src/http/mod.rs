//! The store of what lies at other people's URLs: only read, and the URL is the location, as in the
//! `http` driver of glance_store.

mod options;

use std::ops::Range;

use async_trait::async_trait;
use fetch::Fetcher;
use futures::StreamExt;
use image::ImageId;

use crate::{Abilities, Data, Error, PIECE, Result, Source, Store, Written};

pub(crate) use options::KIND;

/// The schemes of its locations.
const SCHEMES: &[&str] = &["http", "https"];

/// What lies at URLs.
pub struct HttpStore {
    name: String,
    fetcher: Fetcher,
}

impl HttpStore {
    /// A store that fetches so. `name` is for its errors.
    pub fn new(name: &str, fetcher: Fetcher) -> Self {
        Self { name: name.to_owned(), fetcher }
    }

    fn read_only<T>(&self) -> Result<T> {
        Err(Error::ReadOnly(self.name.clone()))
    }
}

#[async_trait]
impl Store for HttpStore {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn abilities(&self) -> Abilities {
        Abilities { writable: false, ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        let scheme = uri.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| SCHEMES.contains(&scheme))
    }

    async fn admit(&self, _id: ImageId, uri: &str) -> Result<()> {
        self.fetcher.admit(uri).await.map(drop).map_err(failed)
    }

    async fn put(&self, _id: ImageId, _hint: Option<u64>, _source: Source) -> Result<Written> {
        self.read_only()
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let admitted = self.fetcher.locate(uri).await.map_err(failed)?;
        let answer = self.fetcher.get(admitted, Some(range)).await.map_err(failed)?;
        let pieces = answer.data.map(|piece| piece.map_err(failed));
        Ok(pieces.flat_map(|piece| futures::stream::iter(split(piece))).boxed())
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        let admitted = self.fetcher.locate(uri).await.map_err(failed)?;
        let length = self.fetcher.length(admitted).await.map_err(failed)?;
        length.ok_or_else(|| Error::Remote("the server does not say how long it is".to_owned()))
    }

    async fn delete(&self, _uri: &str) -> Result<()> {
        self.read_only()
    }

    async fn discard(&self, _id: ImageId) -> Result<bool> {
        Ok(false)
    }
}

/// Pieces of the size that readers expect at most.
fn split(piece: Result<bytes::Bytes>) -> Vec<Result<bytes::Bytes>> {
    match piece {
        Ok(mut piece) if piece.len() > PIECE => {
            let mut pieces = Vec::new();
            while !piece.is_empty() {
                pieces.push(Ok(piece.split_to(PIECE.min(piece.len()))));
            }
            pieces
        }
        other => vec![other],
    }
}

fn failed(error: fetch::Error) -> Error {
    match error {
        fetch::Error::NotFound(url) => Error::NotFound(url),
        fetch::Error::NoUrl | fetch::Error::Refused { .. } => Error::BadLocation(error.to_string()),
        other => Error::Remote(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;
    use crate::testing::{Peer, Reply, store};

    /// Only the proxy is connected to: the image lies on no network.
    #[tokio::test]
    async fn images_come_by_the_proxy_that_options_name_for_their_scheme() {
        let proxy = Peer::new(|_| Reply::of(200, b"an image"));
        let (at, url) = (proxy.address, proxy.url());
        let options = format!("http_proxy_information = http:{at}, https:{url}");
        let store = store("http", &options).unwrap();
        let data = store.open("http://192.0.2.7/image", 0..8).await.unwrap();
        assert_eq!(data.try_collect::<Vec<_>>().await.unwrap().concat(), b"an image");
        let refused = store.open("https://192.0.2.7/image", 0..8).await;
        assert!(matches!(refused.err(), Some(Error::Remote(_))));
        assert_eq!(proxy.asked("GET http://192.0.2.7/image").len(), 1);
        assert_eq!(proxy.asked("CONNECT 192.0.2.7:443").len(), 1);
    }

    #[test]
    fn proxies_that_can_not_be_are_named() {
        for wrong in ["http", "http:http://", "http:a proxy"] {
            let error = store("http", &format!("http_proxy_information = {wrong}")).err();
            let error = error.expect(wrong);
            assert!(error.contains("http_proxy_information"), "{wrong}: {error}");
        }
    }
}
