//! The digests of an upload, each on a thread of its own: one thread for both would halve the
//! speed of an upload.

use bytes::Bytes;
use image::DataHashes;
use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pieces that wait for a digest, at most.
const AHEAD: usize = 4;

/// The digests of one upload: MD5 for `checksum`, and the configured one.
pub(crate) struct Digests {
    algorithm: String,
    md5: Running,
    multihash: Running,
}

struct Running {
    pieces: mpsc::Sender<Bytes>,
    done: JoinHandle<Result<String, ErrorStack>>,
}

impl Digests {
    /// Starts both. Errors when OpenSSL knows no such algorithm.
    pub(crate) fn start(algorithm: &str) -> Result<Self, ErrorStack> {
        let multihash = MessageDigest::from_name(algorithm).ok_or_else(ErrorStack::get)?;
        Ok(Self {
            algorithm: algorithm.to_owned(),
            md5: Running::start(Hasher::new(MessageDigest::md5())?),
            multihash: Running::start(Hasher::new(multihash)?),
        })
    }

    /// Hands a piece to both; waits for the slower one when it is behind.
    pub(crate) async fn update(&self, piece: &Bytes) {
        for running in [&self.md5, &self.multihash] {
            // One that has stopped says why when it is asked for its result.
            let _ = running.pieces.send(piece.clone()).await;
        }
    }

    /// Waits for both.
    pub(crate) async fn finish(self) -> Result<DataHashes, ErrorStack> {
        let checksum = self.md5.finish().await?;
        let value = self.multihash.finish().await?;
        Ok(DataHashes { checksum, algorithm: self.algorithm, value })
    }
}

impl Running {
    fn start(mut hasher: Hasher) -> Self {
        let (pieces, mut queue) = mpsc::channel::<Bytes>(AHEAD);
        let done = tokio::task::spawn_blocking(move || {
            while let Some(piece) = queue.blocking_recv() {
                hasher.update(&piece)?;
            }
            Ok(hex(&hasher.finish()?))
        });
        Self { pieces, done }
    }

    async fn finish(self) -> Result<String, ErrorStack> {
        drop(self.pieces);
        match self.done.await {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn digests_are_those_of_the_whole() {
        let digests = Digests::start("sha512").unwrap();
        for piece in ["a", "", "bc"] {
            digests.update(&Bytes::from(piece)).await;
        }
        let hashes = digests.finish().await.unwrap();
        // RFC 1321, A.5 and FIPS 180-4's example of "abc".
        assert_eq!(hashes.checksum, "900150983cd24fb0d6963f7d28e17f72");
        assert!(hashes.value.starts_with("ddaf35a193617abacc417349ae204131"));
    }

    #[tokio::test]
    async fn unknown_algorithms_are_refused() {
        assert!(Digests::start("rot13").is_err());
    }
}
