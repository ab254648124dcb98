//! Downloads that go on where the connection broke off.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use crate::{Data, Error, PIECE, Result};

/// Bytes of an answer as they come.
pub(crate) type Answer = BoxStream<'static, Result<Bytes>>;

/// Something that can be read from any offset on.
#[async_trait]
pub(crate) trait Reader: Send + Sync {
    /// The bytes of a range, which is not empty. The stream may end early, or fail.
    async fn read(&self, range: Range<u64>) -> Result<Answer>;

    /// How often reading goes on after a break without any progress between.
    fn retries(&self) -> u32;

    /// The error for an answer that ends early.
    fn short(&self) -> Error;
}

/// What is left to be read, and from where.
struct Reading {
    reader: Arc<dyn Reader>,
    left: Range<u64>,
    answer: Option<Answer>,
    failures: u32,
    piece: Bytes,
}

/// The bytes of `range`, all of them or an error, in pieces that readers expect. The first request
/// is made before this returns.
pub(crate) async fn resuming(reader: Arc<dyn Reader>, range: Range<u64>) -> Result<Data> {
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let answer = Some(reader.read(range.clone()).await?);
    let reading = Reading { reader, left: range, answer, failures: 0, piece: Bytes::new() };
    let pieces = stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|piece| (piece, reading)))
    });
    Ok(pieces.boxed())
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if !self.piece.is_empty() {
                return Ok(Some(self.piece.split_to(PIECE.min(self.piece.len()))));
            }
            if self.left.is_empty() {
                return Ok(None);
            }
            match self.answer().await?.next().await {
                Some(Ok(piece)) => self.take(piece),
                Some(Err(error)) => self.failed(error)?,
                None => self.failed(self.reader.short())?,
            }
        }
    }

    async fn answer(&mut self) -> Result<&mut Answer> {
        match self.answer {
            Some(ref mut answer) => Ok(answer),
            None => {
                let answer = self.reader.read(self.left.clone()).await?;
                Ok(self.answer.insert(answer))
            }
        }
    }

    fn take(&mut self, mut piece: Bytes) {
        // An answer that is longer than what was asked for is cut.
        piece.truncate(usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX));
        self.left.start += piece.len() as u64;
        self.failures = if piece.is_empty() { self.failures } else { 0 };
        self.piece = piece;
    }

    fn failed(&mut self, error: Error) -> Result<()> {
        self.answer = None;
        self.failures += 1;
        if self.failures > self.reader.retries() {
            return Err(error);
        }
        tracing::debug!(%error, offset = self.left.start, "a download goes on after a break");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    /// Gives a few bytes, and breaks off.
    struct Breaking {
        each: u64,
        retries: u32,
    }

    #[async_trait]
    impl Reader for Breaking {
        async fn read(&self, range: Range<u64>) -> Result<Answer> {
            let end = range.end.min(range.start + self.each);
            let bytes = (range.start..end).map(|n| n as u8).collect::<Vec<_>>();
            let broken = stream::iter([Err(self.short())]);
            Ok(stream::iter([Ok(Bytes::from(bytes))]).chain(broken).boxed())
        }

        fn retries(&self) -> u32 {
            self.retries
        }

        fn short(&self) -> Error {
            Error::Unavailable { store: "broken".into(), why: "it ends early".into() }
        }
    }

    async fn read(each: u64, retries: u32, range: Range<u64>) -> Result<Vec<u8>> {
        let data = resuming(Arc::new(Breaking { each, retries }), range).await?;
        let pieces: Vec<Bytes> = data.try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn what_breaks_off_goes_on() {
        assert_eq!(read(3, 1, 10..20).await.unwrap(), (10..20).collect::<Vec<u8>>());
        assert_eq!(read(100, 0, 0..5).await.unwrap(), [0, 1, 2, 3, 4]);
        assert!(read(3, 1, 7..7).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_made_up() {
        assert!(read(3, 0, 10..20).await.is_err());
        assert!(read(0, 5, 10..20).await.is_err());
    }
}
