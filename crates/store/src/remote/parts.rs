//! A source in parts of a given length, each of them held until it is stored.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::{self, Fuse};
use tokio::sync::mpsc;

use super::outgoing::Progress;
use super::{Failed, Outgoing};
use crate::{Error, Result, Source};

/// The bytes of a part, in the pieces in which they came.
#[derive(Clone, Default)]
pub(crate) struct Part {
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) length: u64,
}

impl Part {
    pub(super) fn push(&mut self, piece: Bytes) {
        self.length += piece.len() as u64;
        self.pieces.push(piece);
    }

    /// Fails where it is longer than the `size` bytes that were announced.
    pub(super) fn expect_length(&self, size: u64) -> Result<()> {
        if self.length > size { Err(longer(size)) } else { Ok(()) }
    }

    /// Whether all of it is zeros.
    pub(crate) fn is_zero(&self) -> bool {
        self.pieces.iter().all(|piece| piece.iter().all(|byte| *byte == 0))
    }

    /// The bytes as a request sends them; its `Content-Length` is to be set.
    pub(crate) fn body(&self) -> Outgoing {
        let pieces: Vec<_> =
            self.pieces.iter().map(|piece| Ok::<_, Error>(piece.clone())).collect();
        Outgoing::of(stream::iter(pieces), &Progress::default())
    }
}

/// A source, taken in parts.
pub(crate) struct Parts {
    /// Asked again after its end, which streams need not bear.
    source: Fuse<Source>,
    rest: Bytes,
}

impl Parts {
    pub(crate) fn of(source: Source) -> Self {
        Self { source: source.fuse(), rest: Bytes::new() }
    }

    /// The next `length` bytes, or those that are left. Empty at the end. Errors: the source's.
    pub(crate) async fn next(&mut self, length: u64) -> Result<Part> {
        let mut part = Part::default();
        while part.length < length {
            let Some(piece) = self.piece().await? else { break };
            part.push(self.at_most(piece, length - part.length));
        }
        Ok(part)
    }

    /// Gives a piece back that was just taken: it is the next one.
    pub(crate) fn again(&mut self, mut piece: Bytes) {
        if !self.rest.is_empty() {
            let mut whole = BytesMut::from(&*piece);
            whole.extend_from_slice(&self.rest);
            piece = whole.freeze();
        }
        self.rest = piece;
    }

    /// The beginning of a piece that was just taken; the rest of it is the next one.
    fn at_most(&mut self, mut piece: Bytes, length: u64) -> Bytes {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if piece.len() > length {
            self.rest = piece.split_off(length);
        }
        piece
    }

    /// Fails where anything comes after the `size` bytes that were announced.
    pub(crate) async fn expect_end(&mut self, size: u64) -> Result<()> {
        match self.piece().await? {
            None => Ok(()),
            Some(_) => Err(longer(size)),
        }
    }

    /// The next piece as it comes; `None` at the end. Errors: the source's.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>> {
        if !self.rest.is_empty() {
            return Ok(Some(std::mem::take(&mut self.rest)));
        }
        loop {
            match self.source.next().await {
                None => return Ok(None),
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(piece) => return piece.map(Some).map_err(Error::Source),
            }
        }
    }
}

/// A source has more than was announced.
fn longer(size: u64) -> Error {
    Error::Source(format!("it is longer than {size} bytes").into())
}

/// A source has less than was announced.
pub(super) fn ended_early(length: u64, size: u64) -> Error {
    Error::Source(format!("it ended after {length} of {size} bytes").into())
}

/// Pieces that wait for the connection, at most.
const AHEAD: usize = 4;

/// What a body was made of, and what came of the request that had it.
pub(crate) struct Streamed<T> {
    /// How many bytes there were for it.
    length: u64,
    /// Whether there are no more: not where the request has ended before them.
    is_fed: bool,
    /// How many bytes the connection took.
    taken: u64,
    answer: Result<T, Failed>,
}

impl<T> Streamed<T> {
    /// Whether another attempt may do.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.answer, Err(Failed::Passing(_)))
    }

    /// How many bytes are stored: all that there were, which are as many as were `expected` where
    /// that was said. Errors: `Source` where they are fewer; the request's; and `early`, where the
    /// server took it for done before it had all of them.
    pub(crate) fn stored(
        self,
        expected: Option<u64>,
        early: impl FnOnce() -> Error,
    ) -> Result<u64> {
        let Self { length, is_fed, taken, answer } = self;
        match (answer, expected) {
            (Ok(_), _) if !is_fed || taken < length => Err(early()),
            (_, Some(size)) if is_fed && length < size => Err(ended_early(length, size)),
            (Ok(_), _) => Ok(length),
            (Err(failed), _) => Err(failed.error()),
        }
    }
}

/// Makes a request whose body is the next `length` bytes, as they come. A body that ends early, for
/// the source did, ends with fewer. Errors: the source's; the body breaks off then, so that the
/// server does not take it for whole.
pub(crate) async fn streamed<T, F: Future<Output = Result<T, Failed>>>(
    parts: &mut Parts,
    length: u64,
    request: impl FnOnce(Outgoing) -> F,
) -> Result<Streamed<T>> {
    let (pieces, queue) = mpsc::channel(AHEAD);
    let taken = Arc::new(AtomicU64::new(0));
    let counted = (queue, taken.clone());
    let body = stream::unfold(counted, |(mut queue, taken): (Queue, Arc<AtomicU64>)| async {
        let piece = queue.recv().await?;
        let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
        taken.fetch_add(length, Ordering::SeqCst);
        Some((piece, (queue, taken)))
    });
    let progress = Progress::default();
    let request = request(Outgoing::of(body, &progress));
    let (fed, answer) = tokio::join!(feed(parts, length, pieces, &progress), request);
    let (length, is_fed) = fed?;
    Ok(Streamed { length, is_fed, taken: taken.load(Ordering::SeqCst), answer })
}

type Queue = mpsc::Receiver<io::Result<Bytes>>;

/// Returns how many bytes there were, and whether those are all.
async fn feed(
    parts: &mut Parts,
    length: u64,
    pieces: mpsc::Sender<io::Result<Bytes>>,
    progress: &Progress,
) -> Result<(u64, bool)> {
    let mut fed = 0;
    while fed < length {
        progress.waits_for_source();
        let piece = tokio::select! {
            piece = parts.piece() => piece,
            // The request has ended without all of it.
            () = pieces.closed() => return Ok((fed, false)),
        };
        progress.waits_for_server();
        let piece = match piece {
            Ok(Some(piece)) => piece,
            Ok(None) => return Ok((fed, true)),
            Err(error) => {
                // Whoever does not receive it has ended already.
                let _ = pieces.send(Err(io::Error::other("the source failed"))).await;
                return Err(error);
            }
        };
        let piece = parts.at_most(piece, length - fed);
        fed += piece.len() as u64;
        if pieces.send(Ok(piece)).await.is_err() {
            return Ok((fed, false));
        }
    }
    Ok((fed, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lengths(pieces: &[usize], length: u64) -> Vec<u64> {
        let pieces: Vec<_> = pieces.iter().map(|n| Ok(Bytes::from(vec![7; *n]))).collect();
        let mut parts = Parts::of(stream::iter(pieces).boxed());
        let mut lengths = Vec::new();
        loop {
            match parts.next(length).await.unwrap().length {
                0 => return lengths,
                length => lengths.push(length),
            }
        }
    }

    #[tokio::test]
    async fn parts_are_full_but_the_last() {
        assert!(lengths(&[], 10).await.is_empty());
        assert_eq!(lengths(&[3, 0, 4], 10).await, [7]);
        assert_eq!(lengths(&[25], 10).await, [10, 10, 5]);
        assert_eq!(lengths(&[5, 5, 10, 1], 10).await, [10, 10, 1]);
    }

    /// As the sources of a service: they panic when they are asked after their end.
    #[tokio::test]
    async fn a_source_is_not_asked_after_its_end() {
        let once = stream::unfold(Some(Bytes::from_static(b"x")), |left| async move {
            left.map(|piece| (Ok(piece), None))
        });
        let mut parts = Parts::of(once.boxed());
        let mut lengths = Vec::new();
        for _ in 0..3 {
            lengths.push(parts.next(10).await.unwrap().length);
        }
        assert_eq!(lengths, [1, 0, 0]);
    }

    /// A server that says that all is stored, having taken none of it or all; of a source with one
    /// piece, which the queue holds, and with more than that.
    #[tokio::test]
    async fn what_the_server_did_not_take_is_not_stored() {
        for (pieces, is_taken, expected) in [
            (1, false, None),
            (1, false, Some(1)),
            (9, false, None),
            (9, false, Some(9)),
            (9, true, None),
            (9, true, Some(9)),
        ] {
            let source = stream::iter((0..pieces).map(|_| Ok(Bytes::from_static(b"x"))));
            let mut parts = Parts::of(source.boxed());
            let request = async |body: Outgoing| {
                if is_taken {
                    let taken = http_body_util::BodyExt::collect(body.body).await.unwrap();
                    assert_eq!(taken.to_bytes().len(), pieces);
                }
                Ok(())
            };
            let streamed = streamed(&mut parts, expected.unwrap_or(u64::MAX), request).await;
            let stored = streamed.unwrap().stored(expected, || Error::Full("early".into()));
            match is_taken {
                true => assert_eq!(stored.unwrap(), pieces as u64),
                false => assert!(matches!(stored, Err(Error::Full(_))), "{pieces} {expected:?}"),
            }
        }
    }

    #[tokio::test]
    async fn who_ended_early_is_said() {
        for (pieces, is_sources) in [(2, true), (9, false)] {
            let source = stream::iter((0..pieces).map(|_| Ok(Bytes::from_static(b"x"))));
            let mut parts = Parts::of(source.boxed());
            let refuse = async |body: Outgoing| {
                drop(body);
                Err::<(), _>(Failed::Lasting(Error::Full("x".into())))
            };
            let streamed = streamed(&mut parts, 9, refuse).await.unwrap();
            let error = streamed.stored(Some(9), || unreachable!()).unwrap_err();
            assert_eq!(matches!(error, Error::Source(_)), is_sources, "{error}");
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_is_no_end() {
        let pieces = [Ok(Bytes::from_static(b"x")), Err("gone".into())];
        let mut parts = Parts::of(stream::iter(pieces).boxed());
        assert!(matches!(parts.next(10).await, Err(Error::Source(_))));
    }
}
