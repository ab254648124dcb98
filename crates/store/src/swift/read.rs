//! The way out: ranges of an object, and of the same object after a break.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt;
use reqwest::{Method, StatusCode, header};

use super::account::{Ask, Target};
use crate::remote::{Answer, Reader, resuming};
use crate::{Data, Error, Result};

/// An object that is read.
struct Object {
    target: Target,
    retries: u32,
    /// What tells the object that was first read from one that replaced it meanwhile.
    tag: OnceLock<String>,
}

impl Target {
    /// The bytes of a range; after a break the download goes on as often as `retries` says.
    pub(super) async fn open(self, retries: u32, range: Range<u64>) -> Result<Data> {
        if range.is_empty() {
            self.size().await?;
        }
        let object = Object { target: self, retries, tag: OnceLock::new() };
        resuming(Arc::new(object), range).await
    }
}

#[async_trait]
impl Reader for Object {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let headers = [("range", bytes.as_str())];
        let ask = Ask { headers: &headers, ..Ask::new(Method::GET) };
        let answer = self.target.ask_again(&ask).await?;
        let account = self.target.account.clone();
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            return Err(account.failing("a range is answered with something else"));
        }
        if let Some(tag) = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok())
            && self.tag.get_or_init(|| tag.to_owned()) != tag
        {
            return Err(account.failing("the object was replaced while it was read"));
        }
        let pieces = answer.bytes_stream();
        Ok(pieces.map(move |piece| piece.map_err(|error| account.away(error))).boxed())
    }

    fn retries(&self) -> u32 {
        self.retries
    }

    fn short(&self) -> Error {
        self.target.account.failing("an object ends early")
    }
}
