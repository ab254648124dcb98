//! Reading a file of the cache while it grows.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use store::{Data, PIECE};
use tokio::sync::watch;

use super::blocking;
use super::fill::{Fill, Progress};
use crate::reading::Origin;

/// Somebody who reads what a fill writes.
struct Follower {
    file: Arc<File>,
    progress: watch::Receiver<Progress>,
    origin: Origin,
    rest: Range<u64>,
    /// The size of the whole image.
    size: u64,
    /// The rest, read from the store, once the fill has failed.
    alone: Option<Data>,
}

/// The bytes of `range`, as they come. The last piece of an image is not handed on before the whole
/// of it is known to be right. Where the fill fails, the store gives the rest.
pub(super) fn follow(fill: &Fill, origin: Origin, range: Range<u64>) -> Data {
    let follower = Follower {
        file: fill.file.clone(),
        progress: fill.follow(),
        origin,
        rest: range,
        size: fill.size,
        alone: None,
    };
    stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Ok(None) => None,
            Ok(Some(piece)) => Some((Ok(piece), Some(follower))),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

impl Follower {
    async fn next(&mut self) -> store::Result<Option<Bytes>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if self.alone.is_none() {
            match self.readable().await {
                Progress::Growing(until) => return self.read(until).await.map(Some),
                Progress::Whole => return self.read(self.size).await.map(Some),
                Progress::Corrupt => return Err(corrupt()),
                Progress::Failed => self.alone = Some(self.origin.open(self.rest.clone()).await?),
            }
        }
        self.next_alone().await
    }

    /// Waits until there is more to read, or it is known that there won't be.
    async fn readable(&mut self) -> Progress {
        let (start, end, size) = (self.rest.start, self.rest.end, self.size);
        let ready = |progress: &Progress| match *progress {
            // All bytes have come and are not checked yet: the last ones wait for that.
            Progress::Growing(until) => until > start && (until < size || end < size),
            _ => true,
        };
        // A fill that ended without a word was stopped with the service.
        self.progress.wait_for(ready).await.map_or(Progress::Failed, |progress| *progress)
    }

    async fn read(&mut self, until: u64) -> store::Result<Bytes> {
        let offset = self.rest.start;
        let available = until.min(self.rest.end) - offset;
        let length = PIECE.min(usize::try_from(available).unwrap_or(PIECE));
        let file = self.file.clone();
        let piece = blocking(move || {
            let mut buffer = vec![0; length];
            file.read_exact_at(&mut buffer, offset).map(|()| Bytes::from(buffer))
        });
        let piece = piece.await.map_err(failed)?;
        self.rest.start += piece.len() as u64;
        Ok(piece)
    }

    async fn next_alone(&mut self) -> store::Result<Option<Bytes>> {
        let Some(data) = &mut self.alone else { return Ok(None) };
        let piece = data.next().await.transpose()?;
        self.rest.start += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }
}

fn failed(cause: io::Error) -> store::Error {
    store::Error::Io { store: "image cache".to_owned(), cause }
}

fn corrupt() -> store::Error {
    failed(io::Error::other("the image's bytes are not what its record says"))
}
