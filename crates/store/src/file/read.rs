//! The way out. What the page cache holds is read where it is asked for, into the memory of the piece
//! before: a hand-over to another thread costs more than the copy does, and takes the bytes out of
//! this processor's cache before they are sent; new memory costs as much. For what has to come from
//! the disk threads wait, ahead of the reader.
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

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use rustix::fs::Advice;
use rustix::io::ReadWriteFlags;
use tokio::task::JoinHandle;

use super::Directory;
use crate::blocking::joined;
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
/// they are sent.
const CACHED: usize = 256 * 1024;

/// Pieces that a connection has not sent yet, as long as it is given more of them: hyper gathers
/// half a MiB and sends it at once.
const HELD: usize = 2;

/// How many bytes from the page cache follow each other before others on the same thread have their
/// turn: what is sent at once. With four times as many, requests for records took 17 ms instead of 5
/// beside 16 downloads.
const TURN: u64 = (HELD * CACHED) as u64;

pub(super) async fn open(
    directory: Arc<Directory>,
    name: String,
    range: Range<u64>,
) -> Result<Data> {
    let (opening, opened, end) = (directory.clone(), name.clone(), range.end);
    let open = move || {
        let file = opening.open_file(&opened)?;
        let checked = expect_length(&file, end);
        checked.map(|()| Arc::new(file)).map_err(|error| opening.failed(&opened, error))
    };
    let file = directory.threads.run(open).await?;
    let reading = Reading {
        directory,
        name,
        file,
        by_threads: range.start,
        turn: range.start + TURN,
        left: range,
        ahead: VecDeque::new(),
        handed: VecDeque::new(),
    };
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
    ahead: VecDeque<JoinHandle<Result<BytesMut>>>,
    /// Where others have their turn.
    turn: u64,
    /// The last pieces that went out, at most [`HELD`]. The next one is read into the memory of one
    /// that nobody holds any more: new memory is zeroed first, by the system and here, and is in no
    /// processor's cache.
    handed: VecDeque<Bytes>,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.ahead.is_empty() && self.left.start >= self.by_threads {
            self.let_others().await;
            if let Some(piece) = self.read_cached() {
                return Ok(Some(self.hand(piece)));
            }
            self.by_threads = self.left.start + STRETCH;
        }
        self.read_ahead();
        let Some(reading) = self.ahead.pop_front() else { return Ok(None) };
        let read = joined(reading.await)?;
        Ok(Some(self.hand(read)))
    }

    async fn let_others(&mut self) {
        if self.left.start >= self.turn {
            self.turn = self.left.start + TURN;
            tokio::task::yield_now().await;
        }
    }

    /// The next piece, if the page cache has all of it.
    fn read_cached(&mut self) -> Option<BytesMut> {
        let mut piece = self.buffer(self.next_length(CACHED));
        if !is_read_at_once(&self.file, &mut piece, self.left.start) {
            return None;
        }
        self.left.start += piece.len() as u64;
        Some(piece)
    }

    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD && self.left.start < self.by_threads.min(self.left.end) {
            let (offset, length) = (self.left.start, self.next_length(PIECE));
            let wanted = self.left.end.min(offset + length as u64 + ASKED) - offset;
            let (file, buffer) = (self.file.clone(), self.buffer(length));
            let (directory, name) = (self.directory.clone(), self.name.clone());
            let read = move || {
                let read = read_piece(&file, offset, buffer, wanted);
                read.map_err(|error| directory.failed(&name, error))
            };
            self.ahead.push_back(self.directory.threads.begin(read));
            self.left.start += length as u64;
        }
    }

    fn hand(&mut self, piece: BytesMut) -> Bytes {
        let piece = piece.freeze();
        self.handed.push_back(piece.clone());
        if self.handed.len() > HELD {
            self.handed.pop_front();
        }
        piece
    }

    /// Memory for a piece.
    fn buffer(&mut self, length: usize) -> BytesMut {
        let free = self.handed.iter().position(Bytes::is_unique);
        let free = free.and_then(|at| self.handed.remove(at)?.try_into_mut().ok());
        let mut buffer = free.unwrap_or_default();
        buffer.resize(length, 0);
        buffer
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
fn read_piece(file: &File, offset: u64, mut buffer: BytesMut, wanted: u64) -> io::Result<BytesMut> {
    // A hint: where it can't be taken, nothing is lost.
    let _ = rustix::fs::fadvise(file, offset, NonZeroU64::new(wanted), Advice::WillNeed);
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}
