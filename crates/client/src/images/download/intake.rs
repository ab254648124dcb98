//! Where the bytes of a download go: a writer and a hasher, each on a thread of its own.

use std::fs::File;
use std::io::{self, Read, Take, Write};
use std::path::PathBuf;

use bytes::Bytes;
use openssl::hash::Hasher;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Checks;
use crate::images::digest::hex;
use crate::images::sparse_file::SparseFile;
use crate::{Error, Result};

/// Pieces on their way to a thread. A piece is what one read of the socket gave, at most 400 KiB.
const PIECES_AHEAD: usize = 16;

/// Bytes read at once when earlier bytes are hashed again.
const READ: usize = 1 << 20;

/// Where bytes are written.
pub(super) enum Destination {
    /// A file that is synced at the end.
    Part { file: SparseFile, path: PathBuf },
    /// Anything else.
    Writer(Box<dyn Write + Send>),
}

/// The threads of a download.
pub(super) struct Intake {
    writer: Lane<()>,
    hasher: Option<Lane<Vec<u8>>>,
    signed: Option<Lane<Vec<u8>>>,
}

/// What the bytes of a download digest to, where that was asked for.
pub(super) struct Found {
    /// In hexadecimal.
    pub(super) digest: Option<String>,
    /// What a signature is about.
    pub(super) signed: Option<Vec<u8>>,
}

/// A thread that is fed pieces.
struct Lane<T> {
    pieces: Sender<Bytes>,
    end: JoinHandle<Result<T>>,
}

/// A thread has ended early; [`Intake::finish`] knows why.
pub(super) struct Stopped;

impl Intake {
    /// Starts them; what digests begins with the bytes of `earlier`.
    pub(super) fn start(
        destination: Destination,
        checks: &Checks,
        earlier: impl Fn() -> Result<Option<Take<File>>>,
    ) -> Result<Self> {
        Ok(Self {
            hasher: match checks.digest.clone() {
                Some(digest) => {
                    let earlier = earlier()?;
                    Some(Lane::start(move |pieces| hash(digest.hasher(), earlier, pieces)))
                }
                None => None,
            },
            signed: match checks.verifier.as_ref().map(|verifier| verifier.digest()) {
                Some(kind) => {
                    let earlier = earlier()?;
                    Some(Lane::start(move |pieces| hash(Hasher::new(kind).ok(), earlier, pieces)))
                }
                None => None,
            },
            writer: Lane::start(|pieces| write(destination, pieces)),
        })
    }

    /// Takes a piece; waits while a thread is behind.
    pub(super) async fn take(&mut self, piece: Bytes) -> Result<(), Stopped> {
        for hasher in [&self.hasher, &self.signed].into_iter().flatten() {
            hasher.pieces.send(piece.clone()).await.map_err(|_| Stopped)?;
        }
        self.writer.pieces.send(piece).await.map_err(|_| Stopped)
    }

    /// Waits for all.
    pub(super) async fn finish(self) -> Result<Found> {
        self.writer.finish().await?;
        Ok(Found {
            digest: finished(self.hasher).await?.map(|digest| hex(&digest)),
            signed: finished(self.signed).await?,
        })
    }
}

async fn finished(lane: Option<Lane<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
    match lane {
        Some(lane) => lane.finish().await.map(Some),
        None => Ok(None),
    }
}

impl<T: Send + 'static> Lane<T> {
    fn start(work: impl FnOnce(Receiver<Bytes>) -> Result<T> + Send + 'static) -> Self {
        let (pieces, receiver) = channel(PIECES_AHEAD);
        Self { pieces, end: spawn_blocking(move || work(receiver)) }
    }

    async fn finish(self) -> Result<T> {
        drop(self.pieces);
        self.end.await.unwrap_or_else(|died| {
            Err(Error::Stream { action: "finish the download", source: io::Error::other(died) })
        })
    }
}

fn write(destination: Destination, mut pieces: Receiver<Bytes>) -> Result<()> {
    match destination {
        Destination::Part { mut file, path } => drain(&mut pieces, &mut file)
            .and_then(|()| file.sync())
            .map_err(Error::file(&path, "be written")),
        Destination::Writer(mut writer) => drain(&mut pieces, &mut writer)
            .and_then(|()| writer.flush())
            .map_err(|source| Error::Stream { action: "write the image", source }),
    }
}

fn drain(pieces: &mut Receiver<Bytes>, writer: &mut impl Write) -> io::Result<()> {
    while let Some(piece) = pieces.blocking_recv() {
        writer.write_all(&piece)?;
    }
    Ok(())
}

fn hash(
    hasher: Option<Hasher>,
    earlier: Option<Take<File>>,
    mut pieces: Receiver<Bytes>,
) -> Result<Vec<u8>> {
    let failed = |source| Error::Stream { action: "hash the image", source };
    let refused = || io::Error::other("OpenSSL refuses the algorithm");
    let mut hasher = hasher.ok_or_else(refused).map_err(failed)?;
    if let Some(earlier) = earlier {
        hash_file(earlier, &mut hasher).map_err(failed)?;
    }
    drain(&mut pieces, &mut hasher).map_err(failed)?;
    let value = hasher.finish().map_err(io::Error::from).map_err(failed)?;
    Ok(value.to_vec())
}

fn hash_file(mut file: impl Read, hasher: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            read => hasher.write_all(&buffer[..read])?,
        }
    }
}
