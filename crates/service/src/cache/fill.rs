//! An image on its way into the cache: one download from its store, however many wait for it.
//!
//! Whoever wants the bytes follows the file that grows. A fill lives as long as somebody follows
//! it; what it has written is worth nothing before its size and digest are those of the record.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use image::{Image, ImageId};
use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};
use thiserror::Error;
use tokio::sync::watch;

use super::blocking;
use crate::reading::Origin;

/// How far a fill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many bytes can be read.
    Growing(u64),
    /// All can, and they are what the record says.
    Whole,
    /// The cache or the store failed; what is missing has to be read from the store.
    Failed,
    /// The bytes are not what the record says.
    Corrupt,
}

/// One download into the cache.
pub(super) struct Fill {
    pub(super) id: ImageId,
    pub(super) size: u64,
    checksum: Option<String>,
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    progress: watch::Sender<Progress>,
}

/// Why a fill ended before its image was whole.
#[derive(Debug, Error)]
pub(super) enum Broken {
    #[error("nobody wants it any more")]
    Abandoned,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("its file can't be written: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    Digest(#[from] ErrorStack),
    #[error("its store holds {found} bytes, its record says {expected}")]
    Size { expected: u64, found: u64 },
    #[error("its MD5 is {found}, its record says {expected}")]
    Checksum { expected: String, found: String },
}

impl Fill {
    pub(super) fn new(image: &Image, size: u64, file: File, path: PathBuf) -> Self {
        Self {
            id: image.id,
            size,
            checksum: image.hashes.as_ref().and_then(|hashes| hashes.checksum.clone()),
            file: Arc::new(file),
            path,
            progress: watch::Sender::new(Progress::Growing(0)),
        }
    }

    pub(super) fn follow(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn has_followers(&self) -> bool {
        self.progress.receiver_count() > 0
    }

    /// Resolves when nobody follows. Somebody may again at the next moment.
    pub(super) async fn left_alone(&self) {
        self.progress.closed().await;
    }

    /// Fetches all bytes, and returns their MD5 when they are what the record says.
    pub(super) async fn fetch(&self, origin: &Origin) -> Result<String, Broken> {
        let mut data = origin.open(0..self.size).await?;
        let mut hasher = Hasher::new(MessageDigest::md5())?;
        let mut written = 0;
        while let Some(piece) = data.next().await {
            let piece = piece?;
            let next = written + piece.len() as u64;
            if next > self.size {
                return Err(Broken::Size { expected: self.size, found: next });
            }
            hasher = self.write(hasher, piece, written).await?;
            written = next;
            self.progress.send_replace(Progress::Growing(written));
        }
        if written != self.size {
            return Err(Broken::Size { expected: self.size, found: written });
        }
        self.check(hasher)
    }

    async fn write(&self, mut hasher: Hasher, piece: Bytes, at: u64) -> Result<Hasher, Broken> {
        let file = self.file.clone();
        blocking(move || {
            file.write_all_at(&piece, at)?;
            hasher.update(&piece)?;
            Ok(hasher)
        })
        .await
    }

    fn check(&self, mut hasher: Hasher) -> Result<String, Broken> {
        let found = crate::digest::hex(&hasher.finish()?);
        match &self.checksum {
            Some(expected) if *expected != found => {
                Err(Broken::Checksum { expected: expected.clone(), found })
            }
            _ => Ok(found),
        }
    }

    /// Tells the followers how it ended.
    pub(super) fn tell(&self, outcome: &Result<String, Broken>) {
        self.progress.send_replace(match outcome {
            Ok(_) => Progress::Whole,
            Err(Broken::Size { .. } | Broken::Checksum { .. }) => Progress::Corrupt,
            Err(_) => Progress::Failed,
        });
    }
}
