//! The way out: ranges of an object, and of the same object after a break.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt;
use reqwest::{Method, StatusCode, header};

use super::client::{Ask, Payload, Target};
use crate::remote::{Answer, Reader, retried};
use crate::{Error, Result};

/// How often reading goes on after a break without progress.
const RETRIES: u32 = 3;

/// An object that is read.
pub(super) struct Object {
    target: Target,
    /// The tag of the object that was first read: what replaced it meanwhile is another.
    tag: OnceLock<String>,
}

impl Object {
    pub(super) fn at(target: Target) -> Arc<Self> {
        Arc::new(Self { target, tag: OnceLock::new() })
    }
}

#[async_trait]
impl Reader for Object {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let mut headers = vec![("range", bytes.as_str())];
        headers.extend(self.tag.get().map(|tag| ("if-match", tag.as_str())));
        let ask = Ask { headers: &headers, ..Ask::new(Method::GET) };
        let answer = retried(|| self.target.ask(&ask, Payload::None)).await;
        let answer = answer.map_err(|error| match error {
            Error::Exists(_) => self.target.failing("the object was replaced while it was read"),
            other => other,
        })?;
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            return Err(self.target.failing("a range is answered with something else"));
        }
        if let Some(tag) = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()) {
            self.tag.get_or_init(|| tag.to_owned());
        }
        let target = self.target.clone();
        let pieces = answer.bytes_stream();
        Ok(pieces.map(move |piece| piece.map_err(|error| target.away(error))).boxed())
    }

    fn retries(&self) -> u32 {
        RETRIES
    }

    fn short(&self) -> Error {
        self.target.failing("an object ends early")
    }
}
