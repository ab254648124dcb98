//! The way out: chunks in their order, some of them ahead of the reader.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::bucket::Bucket;
use super::file::File;
use super::location::uri;
use crate::remote::{Answer, Reader};
use crate::{Error, Result};

/// What is read with one request, in bytes at most where a chunk is not larger.
const STEP: u64 = 4 * 1024 * 1024;

/// Steps that are asked for ahead.
const AHEAD: usize = 3;

/// How often reading goes on after a break without progress.
const RETRIES: u32 = 3;

/// A file that is read.
pub(super) struct Object {
    bucket: Arc<Bucket>,
    id: String,
    file: File,
}

impl Object {
    pub(super) fn of(bucket: Arc<Bucket>, id: &str, file: File) -> Arc<Self> {
        Arc::new(Self { bucket, id: id.to_owned(), file })
    }
}

#[async_trait]
impl Reader for Object {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        if range.end > self.file.length {
            return Err(self.short());
        }
        let chunk = self.file.chunk;
        let mut steps = steps(range, chunk);
        // What can't be read is told before anything is sent on.
        let first = match steps.next() {
            Some(first) => bytes(self.bucket.clone(), self.id.clone(), self.file, first).await?,
            None => return Ok(stream::empty().boxed()),
        };
        let (bucket, id, file) = (self.bucket.clone(), self.id.clone(), self.file);
        let rest = stream::iter(steps)
            .map(move |step| bytes(bucket.clone(), id.clone(), file, step))
            .buffered(AHEAD);
        let pieces = stream::iter([Ok(first)]).chain(rest);
        Ok(pieces.map_ok(|pieces| stream::iter(pieces).map(Ok)).try_flatten().boxed())
    }

    fn retries(&self) -> u32 {
        RETRIES
    }

    fn short(&self) -> Error {
        self.bucket.server.failing(format!("{} ends early", uri(&self.id)))
    }
}

/// The ranges of bytes that are read with one request each: they end where chunks do.
fn steps(range: Range<u64>, chunk: u64) -> impl Iterator<Item = Range<u64>> + Send {
    let step = chunk * (STEP / chunk).max(1);
    let mut at = range.start;
    std::iter::from_fn(move || {
        let end = (at / chunk * chunk + step).min(range.end);
        let next = at..end;
        at = end;
        (!next.is_empty()).then_some(next)
    })
}

async fn bytes(
    bucket: Arc<Bucket>,
    id: String,
    file: File,
    range: Range<u64>,
) -> Result<Vec<Bytes>> {
    let numbers = range.start / file.chunk..range.end.div_ceil(file.chunk);
    let mut at = numbers.start * file.chunk;
    let mut pieces = bucket.read(&id, file, numbers).await?;
    // Another file of the same id has the same names for its chunks. It comes after them, and goes
    // before them: those were of this file if it is still there.
    if bucket.file(&id).await? != file {
        return Err(bucket.server.failing(format!("{} was replaced while it was read", uri(&id))));
    }
    for piece in &mut pieces {
        let length = piece.len() as u64;
        let held = |bound: u64| bound.clamp(at, at + length).abs_diff(at) as usize;
        *piece = piece.slice(held(range.start)..held(range.end));
        at += length;
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_where_chunks_do() {
        let of = |range, chunk| {
            steps(range, chunk).map(|step| (step.start, step.end)).collect::<Vec<_>>()
        };
        assert!(of(0..0, 10).is_empty() && of(7..7, 10).is_empty());
        const KIB: u64 = 1024;
        let step = 16 * 255 * KIB;
        assert_eq!(of(0..5, 255 * KIB), [(0, 5)]);
        assert_eq!(of(0..step + 1, 255 * KIB), [(0, step), (step, step + 1)]);
        assert_eq!(of(step - 1..step + 1, 255 * KIB), [(step - 1, step + 1)]);
        let (at, edge) = (255 * KIB + 7, 255 * KIB + step);
        assert_eq!(of(at..2 * step, 255 * KIB), [(at, edge), (edge, 2 * step)]);
        // A chunk that is larger than a step.
        assert_eq!(of(1..11 << 20, 8 << 20), [(1, 8 << 20), (8 << 20, 11 << 20)]);
    }
}
