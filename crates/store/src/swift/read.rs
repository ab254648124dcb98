//! The way out: ranges of an object, and of the same object after a break.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt;
use reqwest::{Method, StatusCode, header};

use super::account::{Ask, Target};
use super::stretches::{STEP, Stretches};
use crate::remote::{Answer, Reader, resuming};
use crate::{Data, Error, Result};

/// An object that is read as it is asked for.
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
        // Every request has to be allowed: a caller's token may end in the middle of a download.
        let asks_again = self.account.login.is_renewable();
        if asks_again
            && range.end.saturating_sub(range.start) > STEP
            && let Some(stretches) = Stretches::of(&self, retries, range.end).await?
        {
            return resuming(Arc::new(stretches), range).await;
        }
        let object = Object { target: self, retries, tag: OnceLock::new() };
        resuming(Arc::new(object), range).await
    }

    /// The bytes of a range that is not empty, and the object's tag. Errors: as of requests, and
    /// `Unavailable` where the answer is something else.
    pub(super) async fn range(&self, range: Range<u64>) -> Result<(Answer, Option<String>)> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let headers = [("range", bytes.as_str())];
        let ask = Ask { headers: &headers, ..Ask::new(Method::GET) };
        let answer = self.ask_again(&ask).await?;
        let account = self.account.clone();
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            return Err(account.failing("a range is answered with something else"));
        }
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.map(str::to_owned);
        let pieces = answer.bytes_stream();
        let pieces = pieces.map(move |piece| piece.map_err(|error| account.away(error)));
        Ok((pieces.boxed(), tag))
    }

    pub(super) fn replaced(&self) -> Error {
        self.account.failing(format!("{} was replaced while it was read", self.shown()))
    }

    pub(super) fn short(&self) -> Error {
        self.account.failing(format!("{} ends early", self.shown()))
    }
}

#[async_trait]
impl Reader for Object {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        let (answer, tag) = self.target.range(range).await?;
        match tag {
            Some(tag) if *self.tag.get_or_init(|| tag.clone()) != tag => {
                Err(self.target.replaced())
            }
            _ => Ok(answer),
        }
    }

    fn retries(&self) -> u32 {
        self.retries
    }

    fn short(&self) -> Error {
        self.target.short()
    }
}
