//! The way in: chunks in batches, some of them at once; and when they are there, the file.

use std::sync::Arc;

use image::ImageId;
use mongodb::bson::{DateTime, RawDocumentBuf};

use super::bucket::Bucket;
use super::file::{self, CHUNK, File};
use crate::remote::{Begun, Parts, Pending};
use crate::{Result, Source};

/// Chunks that are sent together: 2 MiB of them.
pub(super) const BATCH: usize = 8;

/// Batches that are on their way at once. The driver holds each of them up to three times.
const AT_ONCE: u32 = 6;

/// An upload that is under way, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Upload {
    bucket: Arc<Bucket>,
    id: String,
    uploaded: DateTime,
    /// Whether something of it may be there and is not to stay.
    begun: Begun,
    pending: Pending,
}

impl Upload {
    pub(super) fn to(bucket: Arc<Bucket>, id: ImageId) -> Self {
        Self {
            bucket,
            id: id.to_string(),
            uploaded: DateTime::now(),
            begun: Begun::default(),
            pending: Pending::at_once(AT_ONCE),
        }
    }

    /// Sends all of a source; returns how many bytes they were.
    pub(super) async fn send(&self, source: Source) -> Result<u64> {
        let mut parts = Parts::of(source);
        // The first chunk goes alone: whoever has it has the file.
        let first = Batch::next(&mut parts, &self.id, 0, 1).await?;
        let mut file = File { length: first.length, chunk: CHUNK, uploaded: self.uploaded };
        let mut number = first.chunks.len();
        self.begin(first).await?;
        while number > 0 {
            let batch = Batch::next(&mut parts, &self.id, number, BATCH).await?;
            if batch.chunks.is_empty() {
                break;
            }
            file.length += batch.length;
            number += batch.chunks.len();
            self.add(batch).await?;
        }
        self.finish(file).await?;
        Ok(file.length)
    }

    async fn begin(&self, mut batch: Batch) -> Result<()> {
        let Some(first) = batch.chunks.pop() else { return Ok(()) };
        let upload = self.clone();
        let begin = async move {
            let beginning = upload.bucket.begin(&upload.id, &first);
            upload.beginning(beginning).await
        };
        self.pending.run(begin).await?;
        self.pending.settled().await
    }

    async fn add(&self, batch: Batch) -> Result<()> {
        let upload = self.clone();
        let add = async move { upload.bucket.add(&upload.id, batch.from, &batch.chunks).await };
        self.pending.run(add).await
    }

    async fn finish(&self, file: File) -> Result<()> {
        self.pending.settled().await?;
        let upload = self.clone();
        let finish = async move {
            let finishing = upload.bucket.finish(&upload.id, &file);
            match upload.begun.is_set() {
                true => finishing.await,
                // It is empty: the file is all that there is of it.
                false => upload.beginning(finishing).await,
            }
        };
        self.pending.run(finish).await?;
        self.pending.settled().await
    }

    /// What makes the first of it, which is to be undone from then on.
    async fn beginning(&self, making: impl Future<Output = Result<()>>) -> Result<()> {
        self.begun.set();
        making.await.map_err(|error| self.begun.spare_others(error))
    }

    /// Removes what was sent. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        // What goes wrong now is why it is undone.
        let _ = self.pending.settled().await;
        if !self.begun.is_set() {
            return;
        }
        if let Err(error) = self.bucket.remove_begun(&self.id, self.uploaded).await {
            tracing::error!(%error, image = %self.id, "chunks of a file that is not whole stay");
        }
    }
}

/// Chunks that follow each other.
struct Batch {
    /// The number of the first one.
    from: i32,
    chunks: Vec<RawDocumentBuf>,
    /// How many bytes are in them.
    length: u64,
}

impl Batch {
    /// The next chunks of a file, of which so many have been taken; fewer than `most` at its end.
    async fn next(parts: &mut Parts, id: &str, taken: usize, most: usize) -> Result<Self> {
        // 2^31 chunks are 500 TiB.
        let from = taken as i32;
        let mut batch = Self { from, chunks: Vec::new(), length: 0 };
        while batch.chunks.len() < most {
            let part = parts.next(CHUNK).await?;
            if part.length == 0 {
                break;
            }
            batch.length += part.length;
            batch.chunks.push(file::chunk(id, from + batch.chunks.len() as i32, &part));
        }
        Ok(batch)
    }
}
