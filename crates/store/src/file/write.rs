//! The way in: pieces arrive on the runtime, threads write them. No thread waits for a client: an
//! upload has one only while there is something to write.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::Directory;
use super::partial::Partial;
use super::writeback::Writeback;
use crate::{Error, Result, Source, Written};

/// Pieces that wait for the disk, at most.
const AHEAD: usize = 4;

pub(super) async fn put(
    directory: Arc<Directory>,
    name: String,
    source: Source,
) -> Result<Written> {
    let uri = directory.uri(&name);
    let threads = directory.threads.clone();
    let partial = create(directory).await?;
    let (pieces, queue) = mpsc::channel(AHEAD);
    let (fed, written) = tokio::join!(feed(source, pieces), write(partial, &name, queue));
    let (partial, size) = written?;
    fed?;
    threads.run(move || partial.publish(&name)).await?.keep();
    Ok(Written { uri, size })
}

pub(super) async fn create(directory: Arc<Directory>) -> Result<Partial> {
    let threads = directory.threads.clone();
    threads.run(move || Partial::create(&directory)).await
}

/// Hands pieces to the writer, as long as there is one: it says itself why it stopped.
async fn feed(mut source: Source, pieces: mpsc::Sender<Bytes>) -> Result<()> {
    loop {
        let next = tokio::select! {
            next = source.next() => next,
            () = pieces.closed() => return Ok(()),
        };
        let Some(piece) = next else { return Ok(()) };
        if pieces.send(piece.map_err(Error::Source)?).await.is_err() {
            return Ok(());
        }
    }
}

/// Writes until no more pieces come; returns how many bytes they were.
async fn write(
    mut partial: Partial,
    name: &str,
    mut queue: mpsc::Receiver<Bytes>,
) -> Result<(Partial, u64)> {
    let directory = partial.directory().clone();
    let failed = |error| directory.failed(name, error);
    let mut writeback = Writeback::of(partial.file().try_clone().map_err(failed)?);
    let mut size = 0;
    let mut waiting = Vec::with_capacity(AHEAD);
    while queue.recv_many(&mut waiting, AHEAD).await > 0 {
        let bytes = waiting.iter().map(|piece| piece.len() as u64).sum::<u64>();
        (partial, waiting) = write_all(partial, waiting, name.to_owned()).await?;
        writeback.wrote(bytes).await.map_err(failed)?;
        size += bytes;
    }
    writeback.finish().await.map_err(failed)?;
    Ok((partial, size))
}

/// Writes these pieces, and gives back the file and their emptied list.
async fn write_all(
    mut partial: Partial,
    mut pieces: Vec<Bytes>,
    name: String,
) -> Result<(Partial, Vec<Bytes>)> {
    let threads = partial.directory().threads.clone();
    let write = move || {
        for piece in pieces.drain(..) {
            let written = partial.write(&piece);
            written.map_err(|error| partial.directory().failed(&name, error))?;
        }
        Ok((partial, pieces))
    };
    threads.run(write).await
}
