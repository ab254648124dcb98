//! Where the bytes of a download go: a writer and a hasher, each on a thread of its own.

use std::fs::File;
use std::io::{self, Read, Take, Write};
use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::images::Digest;
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

/// The two threads of a download.
pub(super) struct Intake {
    writer: Lane<()>,
    hasher: Option<Lane<String>>,
}

/// A thread that is fed pieces.
struct Lane<T> {
    pieces: Sender<Bytes>,
    end: JoinHandle<Result<T>>,
}

/// A thread has ended early; [`Intake::finish`] knows why.
pub(super) struct Stopped;

impl Intake {
    /// Starts both; the hasher begins with the bytes of `earlier`.
    pub(super) fn start(
        destination: Destination,
        digest: Option<Digest>,
        earlier: Option<Take<File>>,
    ) -> Self {
        let hasher = digest.map(|digest| Lane::start(move |pieces| hash(&digest, earlier, pieces)));
        Self { writer: Lane::start(|pieces| write(destination, pieces)), hasher }
    }

    /// Takes a piece; waits while a thread is behind.
    pub(super) async fn take(&mut self, piece: Bytes) -> Result<(), Stopped> {
        if let Some(hasher) = &self.hasher {
            hasher.pieces.send(piece.clone()).await.map_err(|_| Stopped)?;
        }
        self.writer.pieces.send(piece).await.map_err(|_| Stopped)
    }

    /// Waits for both, and gives the digest in hexadecimal.
    pub(super) async fn finish(self) -> Result<Option<String>> {
        self.writer.finish().await?;
        match self.hasher {
            Some(hasher) => hasher.finish().await.map(Some),
            None => Ok(None),
        }
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
    digest: &Digest,
    earlier: Option<Take<File>>,
    mut pieces: Receiver<Bytes>,
) -> Result<String> {
    let failed = |source| Error::Stream { action: "hash the image", source };
    let unknown = || io::Error::other(format!("OpenSSL refuses {}", digest.algorithm));
    let mut hasher = digest.hasher().ok_or_else(unknown).map_err(failed)?;
    if let Some(earlier) = earlier {
        hash_file(earlier, &mut hasher).map_err(failed)?;
    }
    drain(&mut pieces, &mut hasher).map_err(failed)?;
    let value = hasher.finish().map_err(io::Error::from).map_err(failed)?;
    Ok(hex(&value))
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
