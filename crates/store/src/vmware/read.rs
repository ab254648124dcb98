//! The way out: ranges of a file, and of the same file after a break.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use reqwest::{Method, Response, StatusCode, header};

use super::file::File;
use crate::Result;
use crate::remote::{Answer, Reader};

/// How often reading goes on after a break without progress.
const RETRIES: u32 = 3;

/// A file that is read.
pub(super) struct Reading {
    file: File,
    /// What tells the file that was first read from one that replaced it meanwhile.
    tag: OnceLock<String>,
}

impl Reading {
    pub(super) fn of(file: File) -> Arc<Self> {
        Arc::new(Self { file, tag: OnceLock::new() })
    }
}

#[async_trait]
impl Reader for Reading {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let answer = self.file.get(Method::GET, Some(&bytes)).await?;
        let server = self.file.server.clone();
        if let Some(tag) = tag(&answer)
            && self.tag.get_or_init(|| tag.to_owned()) != tag
        {
            return Err(server.failing("the file was replaced while it was read"));
        }
        // A server that does not know ranges sends all of it.
        let all = answer.status() != StatusCode::PARTIAL_CONTENT;
        let mut before = if all { range.start } else { 0 };
        let pieces = answer.bytes_stream().map_err(move |error| server.away(error));
        Ok(pieces.map_ok(move |piece| after(piece, &mut before)).boxed())
    }

    fn retries(&self) -> u32 {
        RETRIES
    }

    fn short(&self) -> crate::Error {
        self.file.server.failing("a file ends early")
    }
}

/// What tells a file from another: its tag, else when it was written.
fn tag(answer: &Response) -> Option<&str> {
    let headers = answer.headers();
    let tag = headers.get(header::ETAG).or(headers.get(header::LAST_MODIFIED));
    tag.and_then(|tag| tag.to_str().ok())
}

/// The bytes of a piece that come after as many as that; the rest of those is left for the next.
fn after(mut piece: Bytes, before: &mut u64) -> Bytes {
    let skipped = piece.len().min(usize::try_from(*before).unwrap_or(usize::MAX));
    *before -= skipped as u64;
    piece.split_off(skipped)
}
