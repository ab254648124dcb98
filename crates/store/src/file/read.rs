//! The way out: threads read pieces ahead of the socket. No thread waits for a client: one that
//! reads slowly, or not at all, holds an open file and the pieces that were read ahead for it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::Directory;
use crate::blocking::blocking;
use crate::{Data, PIECE, Result};

/// Pieces read at once, or ahead of the socket, at most.
const AHEAD: usize = 3;

pub(super) async fn open(
    directory: Arc<Directory>,
    name: String,
    range: Range<u64>,
) -> Result<Data> {
    let opening = (directory.clone(), name.clone());
    let file = Arc::new(blocking(move || opening.0.open_file(&opening.1)).await?);
    let pieces = stream::iter(range.clone().step_by(PIECE)).map(move |offset| {
        let length = PIECE.min(usize::try_from(range.end - offset).unwrap_or(PIECE));
        let (file, directory, name) = (file.clone(), directory.clone(), name.clone());
        blocking(move || {
            read_piece(&file, offset, length).map_err(|error| directory.failed(&name, error))
        })
    });
    Ok(pieces.buffered(AHEAD).boxed())
}

fn read_piece(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}
