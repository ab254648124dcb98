//! The way out: a thread reads pieces ahead of the socket.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{Directory, blocking};
use crate::{Data, Error, PIECE, Result};

/// Pieces read ahead of the socket, at most.
const AHEAD: usize = 2;

pub(super) async fn open(
    directory: Arc<Directory>,
    name: String,
    range: Range<u64>,
) -> Result<Data> {
    let opening = (directory.clone(), name.clone());
    let file = blocking(move || opening.0.open_file(&opening.1)).await?;
    let (pieces, queue) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        read(&file, range, &pieces, |error| directory.failed(&name, error));
    });
    let queue = stream::unfold(queue, |mut queue| async move {
        let piece = queue.recv().await?;
        Some((piece, queue))
    });
    Ok(queue.boxed())
}

/// Reads the range piece by piece until it ends or nobody listens.
fn read(
    file: &File,
    range: Range<u64>,
    pieces: &mpsc::Sender<Result<Bytes>>,
    failed: impl Fn(io::Error) -> Error,
) {
    let mut offset = range.start;
    while offset < range.end {
        let length = PIECE.min(usize::try_from(range.end - offset).unwrap_or(PIECE));
        let piece = read_piece(file, offset, length).map_err(&failed);
        let ends = piece.is_err();
        if pieces.blocking_send(piece).is_err() || ends {
            return;
        }
        offset += length as u64;
    }
}

fn read_piece(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}
