//! A source whose bytes are held as they go, so that they can be sent again.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;

use super::parts::{Part, Parts, ended_early};
use crate::{Result, Source};

/// What has come of a source so far.
pub(crate) struct Held(Arc<Mutex<Part>>);

impl Held {
    /// The source, of which everything is held from now on.
    pub(crate) fn of(source: Source) -> (Self, Source) {
        let held = Arc::<Mutex<Part>>::default();
        let keeping = held.clone();
        let source = source.inspect(move |piece| {
            if let Ok(piece) = piece {
                keeping.lock().unwrap_or_else(PoisonError::into_inner).push(piece.clone());
            }
        });
        (Self(held), source.boxed())
    }

    /// All of the source, with what is still to come, which is read. Errors: the source's; `Source`
    /// where they are not `size` bytes.
    pub(crate) async fn all(self, mut parts: Parts, size: u64) -> Result<Part> {
        while self.length() < size {
            if parts.piece().await?.is_none() {
                return Err(ended_early(self.length(), size));
            }
        }
        let part = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What is left of a piece that was too long is found there, too.
        parts.expect_end(size).await?;
        part.expect_length(size)?;
        Ok(part)
    }

    fn length(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).length
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::stream;

    use super::*;
    use crate::Error;

    #[tokio::test]
    async fn all_is_what_was_sent_and_what_comes() {
        for (size, taken, is_all) in
            [(9, 0, true), (9, 1, true), (9, 3, true), (8, 0, false), (8, 3, false), (10, 1, false)]
        {
            let source = stream::iter((0..3).map(|_| Ok(Bytes::from_static(b"abc"))));
            let (held, source) = Held::of(source.boxed());
            let mut parts = Parts::of(source);
            for _ in 0..taken {
                parts.piece().await.unwrap();
            }
            match held.all(parts, size).await {
                Ok(part) => assert!(is_all && part.pieces.concat() == b"abcabcabc", "{size}"),
                Err(error) => assert!(!is_all && matches!(error, Error::Source(_)), "{size}"),
            }
        }
    }
}
