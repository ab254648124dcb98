//! The way out. What the page cache holds is read where it is asked for: a hand-over to another
//! thread costs more than the copy does, and takes the bytes out of this processor's cache before
//! they are sent. For what has to come from the disk threads wait, ahead of the reader.
//!
//! No thread waits for a client: one that reads slowly, or not at all, holds an open file and the
//! pieces that were read for it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use rustix::fs::Advice;
use rustix::io::ReadWriteFlags;
use tokio::task::JoinHandle;

use super::Directory;
use crate::blocking::{blocking, joined};
use crate::{Data, PIECE, Result};

/// Pieces that are read from the disk at once, or ahead of the reader, at most.
const AHEAD: usize = 3;

/// How many bytes the system is asked to bring from the disk beyond a piece that a thread reads.
/// bench/page-cache: without it, reads that wait for a disk took up to twice as long.
const ASKED: u64 = 4 * 1024 * 1024;

/// How many bytes threads read, in their pipeline, before the page cache is asked again: what the
/// system has read ahead of them is soon used up, and then they would begin anew.
const STRETCH: u64 = 16 * 1024 * 1024;

/// The size of pieces from the page cache, in bytes: they stay in a processor's own cache until
/// they are sent, and others on the same thread have their turn after each.
const CACHED: usize = 256 * 1024;

pub(super) async fn open(
    directory: Arc<Directory>,
    name: String,
    range: Range<u64>,
) -> Result<Data> {
    let (opening, opened, end) = (directory.clone(), name.clone(), range.end);
    let file = blocking(move || {
        let file = opening.open_file(&opened)?;
        let checked = expect_length(&file, end);
        checked.map(|()| Arc::new(file)).map_err(|error| opening.failed(&opened, error))
    });
    let file = file.await?;
    let (by_threads, ahead) = (range.start, VecDeque::new());
    let reading = Reading { directory, name, file, left: range, by_threads, ahead };
    let pieces = stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|piece| (piece, reading)))
    });
    Ok(pieces.boxed())
}

/// A file that is too short is told before anything of it is sent.
fn expect_length(file: &File, expected: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length < expected {
        let why = format!("the file has {length} bytes, {expected} are expected");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    Ok(())
}

/// A file that is read.
struct Reading {
    directory: Arc<Directory>,
    name: String,
    file: Arc<File>,
    /// What nobody reads yet.
    left: Range<u64>,
    /// Up to here threads read.
    by_threads: u64,
    /// What they read, before `left`.
    ahead: VecDeque<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.ahead.is_empty() && self.left.start >= self.by_threads {
            if let Some(piece) = self.read_cached() {
                tokio::task::yield_now().await;
                return Ok(Some(piece));
            }
            self.by_threads = self.left.start + STRETCH;
        }
        self.read_ahead();
        let Some(reading) = self.ahead.pop_front() else { return Ok(None) };
        let read = joined(reading.await);
        read.map(Some).map_err(|error| self.directory.failed(&self.name, error))
    }

    /// The next piece, if the page cache has all of it.
    fn read_cached(&mut self) -> Option<Bytes> {
        let mut piece = vec![0; self.next_length(CACHED)];
        if !is_read_at_once(&self.file, &mut piece, self.left.start) {
            return None;
        }
        self.left.start += piece.len() as u64;
        Some(piece.into())
    }

    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD && self.left.start < self.by_threads.min(self.left.end) {
            let (offset, length) = (self.left.start, self.next_length(PIECE));
            let wanted = self.left.end.min(offset + length as u64 + ASKED) - offset;
            let file = self.file.clone();
            let read = move || read_piece(&file, offset, length, wanted);
            self.ahead.push_back(tokio::task::spawn_blocking(read));
            self.left.start += length as u64;
        }
    }

    fn next_length(&self, most: usize) -> usize {
        usize::try_from(self.left.end - self.left.start).unwrap_or(most).min(most)
    }
}

/// Whether the page cache has filled the whole buffer. Whatever else becomes of it, a file system
/// that can't tell (NFS and others), the file's end or an error, is left to a thread.
fn is_read_at_once(file: &File, buffer: &mut [u8], offset: u64) -> bool {
    let expected = buffer.len();
    let buffers = &mut [IoSliceMut::new(buffer)];
    let read = rustix::io::preadv2(file, buffers, offset, ReadWriteFlags::NOWAIT);
    expected > 0 && read == Ok(expected)
}

/// Waits for a piece; `wanted` bytes, it and what follows, are soon to be read.
fn read_piece(file: &File, offset: u64, length: usize, wanted: u64) -> io::Result<Bytes> {
    // A hint: where it can't be taken, nothing is lost.
    let _ = rustix::fs::fadvise(file, offset, NonZeroU64::new(wanted), Advice::WillNeed);
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}
