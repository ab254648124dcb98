//! Bytes to store, and those that come back.

use std::time::Duration;

use ::bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use store::{Data, PIECE, Result, Source};

/// How long something may take that does not wait for time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Bytes of which no part is like another.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ size as u64;
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A source of these bytes, in pieces of no round size. It does not bear to be asked after its end,
/// as the sources of a service don't.
pub(crate) fn source(bytes: Vec<u8>) -> Source {
    let pieces = stream::unfold(Bytes::from(bytes), |mut bytes| async move {
        let piece = bytes.split_to(bytes.len().min(100_003));
        (!piece.is_empty()).then_some((Ok(piece), bytes))
    });
    pieces.boxed()
}

/// These bytes, and then what `after` does: never ends, fails, goes on.
pub(crate) fn source_then(bytes: Vec<u8>, after: Source) -> Source {
    source(bytes).chain(after).boxed()
}

/// A source that does something and ends.
pub(crate) fn acting(act: impl FnOnce() + Send + 'static) -> Source {
    async move { act() }.into_stream().filter_map(|()| async { None }).boxed()
}

/// All bytes of a stream; no piece is larger than it may be.
pub(crate) async fn all(data: Data) -> Result<BytesMut> {
    data.try_fold(BytesMut::new(), |mut all, piece| async move {
        assert!(piece.len() <= PIECE, "a piece of {} bytes", piece.len());
        all.extend_from_slice(&piece);
        Ok(all)
    })
    .await
}

/// Equal, without printing megabytes where they are not.
pub(crate) fn assert_same(got: &[u8], expected: &[u8], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: another length");
    let differs = got.iter().zip(expected).position(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}: the first byte that differs");
}
