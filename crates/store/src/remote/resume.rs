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

    /// The beginning of what is left that one request asks for; it is not empty.
    fn step(&self, left: Range<u64>) -> Range<u64> {
        left
    }

    /// Looks at the bytes from `offset` on before they are handed out: each once, in their order.
    /// Errors: they are not what they should be, which no repetition changes.
    fn look(&self, _offset: u64, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }

    /// How often reading goes on after a break without any progress between.
    fn retries(&self) -> u32;

    /// The error for an answer that ends early.
    fn short(&self) -> Error;
}

/// What is left to be read, and from where.
struct Reading {
    reader: Arc<dyn Reader>,
    left: Range<u64>,
    /// With where the bytes end that it was asked for.
    answer: Option<(Answer, u64)>,
    failures: u32,
    piece: Bytes,
}

/// The bytes of `range`, all of them or an error, in pieces that readers expect. The first request
/// is made before this returns.
pub(crate) async fn resuming(reader: Arc<dyn Reader>, range: Range<u64>) -> Result<Data> {
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let (left, piece) = (range, Bytes::new());
    let mut reading = Reading { reader, left, answer: None, failures: 0, piece };
    reading.answer().await?;
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
            let (answer, end) = self.answer().await?;
            let end = *end;
            match answer.next().await {
                Some(Ok(piece)) => self.take(piece, end)?,
                None if self.left.start == end => self.answer = None,
                Some(Err(error)) => self.failed(error)?,
                None => self.failed(self.reader.short())?,
            }
        }
    }

    async fn answer(&mut self) -> Result<&mut (Answer, u64)> {
        match self.answer {
            Some(ref mut answer) => Ok(answer),
            None => {
                let step = self.reader.step(self.left.clone());
                let end = step.end;
                let answer = self.reader.read(step).await?;
                Ok(self.answer.insert((answer, end)))
            }
        }
    }

    fn take(&mut self, mut piece: Bytes, end: u64) -> Result<()> {
        // An answer that is longer than what was asked for is cut.
        piece.truncate(usize::try_from(end - self.left.start).unwrap_or(usize::MAX));
        self.reader.look(self.left.start, &piece)?;
        self.left.start += piece.len() as u64;
        self.failures = if piece.is_empty() { self.failures } else { 0 };
        self.piece = piece;
        Ok(())
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
    use std::sync::Mutex;

    use futures::TryStreamExt;

    use super::*;

    /// Gives a few bytes, and breaks off.
    struct Breaking {
        each: u64,
        retries: u32,
        /// How many bytes a request asks for, at most.
        step: u64,
        looked: Mutex<Vec<u8>>,
    }

    #[async_trait]
    impl Reader for Breaking {
        async fn read(&self, range: Range<u64>) -> Result<Answer> {
            let end = range.end.min(range.start + self.each);
            let bytes = (range.start..end).map(|n| n as u8).collect::<Vec<_>>();
            let broken = stream::iter((end < range.end).then(|| Err(self.short())));
            Ok(stream::iter([Ok(Bytes::from(bytes))]).chain(broken).boxed())
        }

        fn step(&self, left: Range<u64>) -> Range<u64> {
            left.start..left.end.min(left.start + self.step)
        }

        fn look(&self, offset: u64, bytes: &[u8]) -> Result<()> {
            if bytes.contains(&BAD) {
                return Err(Error::Full(offset.to_string()));
            }
            self.looked.lock().unwrap().extend(bytes);
            Ok(())
        }

        fn retries(&self) -> u32 {
            self.retries
        }

        fn short(&self) -> Error {
            Error::Unavailable { store: "broken".into(), why: "it ends early".into() }
        }
    }

    /// What is never handed out.
    const BAD: u8 = 200;

    async fn read(each: u64, retries: u32, range: Range<u64>) -> Result<Vec<u8>> {
        in_steps(each, retries, u64::MAX / 2, range).await
    }

    async fn in_steps(each: u64, retries: u32, step: u64, range: Range<u64>) -> Result<Vec<u8>> {
        let reader = Arc::new(Breaking { each, retries, step, looked: Mutex::default() });
        let data = resuming(reader.clone(), range).await?;
        let pieces: Vec<Bytes> = data.try_collect().await?;
        assert_eq!(*reader.looked.lock().unwrap(), pieces.concat());
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn what_breaks_off_goes_on() {
        assert_eq!(read(3, 1, 10..20).await.unwrap(), (10..20).collect::<Vec<u8>>());
        assert_eq!(read(100, 0, 0..5).await.unwrap(), [0, 1, 2, 3, 4]);
        assert!(read(3, 1, 7..7).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_end_of_a_step_is_no_break() {
        for (each, retries, step) in [(100, 0, 4), (100, 0, 10), (100, 0, 1), (3, 1, 4), (4, 0, 4)]
        {
            let read = in_steps(each, retries, step, 10..20).await;
            assert_eq!(read.unwrap(), (10..20).collect::<Vec<u8>>(), "{each} {step}");
        }
        assert!(in_steps(3, 0, 4, 10..20).await.is_err());
    }

    /// However often a break would be no end.
    #[tokio::test]
    async fn what_is_seen_to_be_wrong_ends_a_download() {
        let error = in_steps(3, 9, 4, 190..210).await.unwrap_err();
        assert!(matches!(error, Error::Full(_)), "{error}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_made_up() {
        assert!(read(3, 0, 10..20).await.is_err());
        assert!(read(0, 5, 10..20).await.is_err());
    }
}
