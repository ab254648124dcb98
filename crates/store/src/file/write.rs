//! The way in: pieces arrive on the runtime, a thread writes them.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::partial::Partial;
use super::{Directory, blocking};
use crate::{Error, Result, Source, Written};

/// Pieces that wait for the disk, at most.
const AHEAD: usize = 4;

/// What the runtime tells the writing thread. A channel that closes without `End` means that the
/// upload was dropped.
enum Piece {
    Data(Bytes),
    End,
}

pub(super) async fn put(
    directory: Arc<Directory>,
    name: String,
    source: Source,
) -> Result<Written> {
    let (pieces, queue) = mpsc::channel(AHEAD);
    let uri = directory.uri(&name);
    let writing = blocking(move || write(&directory, &name, queue));
    let (fed, written) = tokio::join!(feed(source, pieces), writing);
    fed?;
    let size = written?.ok_or_else(|| Error::Source("the upload was dropped".into()))?;
    Ok(Written { uri, size })
}

/// Hands pieces to the writing thread. When that has stopped, its own error tells why.
async fn feed(mut source: Source, pieces: mpsc::Sender<Piece>) -> Result<()> {
    while let Some(piece) = source.next().await {
        let piece = piece.map_err(Error::Source)?;
        if pieces.send(Piece::Data(piece)).await.is_err() {
            return Ok(());
        }
    }
    // As above: a writer that is gone has said why.
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

/// Writes until the end; `None` when the sender went away before it.
fn write(
    directory: &Directory,
    name: &str,
    mut queue: mpsc::Receiver<Piece>,
) -> Result<Option<u64>> {
    let failed = |error| directory.failed(name, error);
    let partial = Partial::create(directory).map_err(failed)?;
    let mut size = 0;
    while let Some(piece) = queue.blocking_recv() {
        match piece {
            Piece::Data(bytes) => {
                partial.file().write_all(&bytes).map_err(failed)?;
                size += bytes.len() as u64;
            }
            Piece::End => {
                partial.publish(name).map_err(failed)?;
                return Ok(Some(size));
            }
        }
    }
    Ok(None)
}
