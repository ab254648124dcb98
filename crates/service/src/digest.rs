//! The digests of an upload, at the same time on threads of their own: one thread for both would
//! halve the speed of an upload.

use bytes::Bytes;
use image::DataHashes;
use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};
use signature::Verifier;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

/// Pieces that wait for a digest, at most.
const AHEAD: usize = 4;

/// The digests of one upload: MD5 for `checksum`, the configured one, and of a signed image the one
/// that was signed.
pub(crate) struct Digests {
    algorithm: String,
    md5: Running,
    multihash: Running,
    signed: Option<(Running, Verifier)>,
}

/// Why there are no digests in the end.
#[derive(Debug, Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    OpenSsl(#[from] ErrorStack),
    #[error(transparent)]
    Signature(#[from] signature::Error),
}

struct Running {
    pieces: mpsc::Sender<Bytes>,
    done: JoinHandle<Result<Vec<u8>, ErrorStack>>,
}

impl Digests {
    /// Starts both. Errors when OpenSSL knows no such algorithm.
    pub(crate) fn start(algorithm: &str) -> Result<Self, ErrorStack> {
        let multihash = signature::digest_named(algorithm).ok_or_else(ErrorStack::get)?;
        Ok(Self {
            algorithm: algorithm.to_owned(),
            md5: Running::start(Hasher::new(MessageDigest::md5())?),
            multihash: Running::start(Hasher::new(multihash)?),
            signed: None,
        })
    }

    /// Has the bytes checked against a signature as well.
    pub(crate) fn verified_by(self, verifier: Verifier) -> Result<Self, ErrorStack> {
        let running = Running::start(Hasher::new(verifier.digest())?);
        Ok(Self { signed: Some((running, verifier)), ..self })
    }

    /// Hands a piece to all; waits for the slowest one when it is behind.
    pub(crate) async fn update(&self, piece: &Bytes) {
        let signed = self.signed.as_ref().map(|(running, _)| running);
        for running in [&self.md5, &self.multihash].into_iter().chain(signed) {
            // One that has stopped says why when it is asked for its result.
            let _ = running.pieces.send(piece.clone()).await;
        }
    }

    /// Waits for all. Errors: the bytes are not those that were signed.
    pub(crate) async fn finish(self) -> Result<DataHashes, Failed> {
        if let Some((running, verifier)) = self.signed {
            verifier.check(&running.finish().await?)?;
        }
        let checksum = hex(&self.md5.finish().await?);
        let value = hex(&self.multihash.finish().await?);
        Ok(DataHashes { checksum: Some(checksum), algorithm: self.algorithm, value })
    }
}

impl Running {
    fn start(hasher: Hasher) -> Self {
        let (pieces, queue) = mpsc::channel(AHEAD);
        Self { pieces, done: tokio::spawn(digest(hasher, queue)) }
    }

    async fn finish(self) -> Result<Vec<u8>, ErrorStack> {
        drop(self.pieces);
        joined(self.done.await)
    }
}

/// Digests until no more pieces come. There is a thread for it only while there are pieces: slow
/// clients, however many, keep none.
async fn digest(
    mut hasher: Hasher,
    mut queue: mpsc::Receiver<Bytes>,
) -> Result<Vec<u8>, ErrorStack> {
    let mut waiting = Vec::with_capacity(AHEAD);
    while queue.recv_many(&mut waiting, AHEAD).await > 0 {
        let work = tokio::task::spawn_blocking(move || {
            for piece in waiting.drain(..) {
                hasher.update(&piece)?;
            }
            Ok((hasher, waiting))
        });
        (hasher, waiting) = joined(work.await)?;
    }
    Ok(hasher.finish()?.to_vec())
}

/// A panic goes on in whoever waits for the result.
fn joined<T>(result: Result<T, JoinError>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// In lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn digests_are_those_of_the_whole() {
        let digests = Digests::start("sha512").unwrap();
        for piece in ["a", "", "bc"] {
            digests.update(&Bytes::from(piece)).await;
        }
        let hashes = digests.finish().await.unwrap();
        // RFC 1321, A.5 and FIPS 180-4's example of "abc".
        assert_eq!(hashes.checksum.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert!(hashes.value.starts_with("ddaf35a193617abacc417349ae204131"));
    }

    #[tokio::test]
    async fn unknown_algorithms_are_refused() {
        assert!(Digests::start("rot13").is_err());
    }

    /// However many uploads stand still, another goes on.
    #[test]
    fn slow_clients_keep_no_threads() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let slow: Vec<_> = (0..8).map(|_| Digests::start("sha512").unwrap()).collect();
            for digests in &slow {
                digests.update(&Bytes::from("a")).await;
            }
            let quick = Digests::start("sha512").unwrap();
            quick.update(&Bytes::from("abc")).await;
            let hashes = tokio::time::timeout(Duration::from_secs(10), quick.finish());
            let hashes = hashes.await.expect("no thread is free").unwrap();
            assert_eq!(hashes.checksum.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        });
    }
}
