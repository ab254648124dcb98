//! The way out: a few reads under way ahead of the socket.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};

use super::ceph::{Failure, Image};
use super::connection::Connection;
use crate::{Data, PIECE, Result};

/// How many bytes a read asks for, at most. Buffers of 4 MiB, ours and the one that librados receives
/// into, the service's allocator maps anew for each read: to touch their pages for the first time took
/// half of the processor's time that a download takes.
const READ: u64 = 2 * 1024 * 1024;

/// Reads that are under way, or wait for the socket, at most.
const AHEAD: usize = 4;

/// An image that is read.
struct Reading {
    connection: Arc<Connection>,
    uri: String,
    image: Option<Image>,
    left: Range<u64>,
    ahead: VecDeque<(usize, BoxFuture<'static, Result<Bytes, Failure>>)>,
    piece: Bytes,
}

/// The bytes of a range of an image.
pub(super) fn read(
    connection: Arc<Connection>,
    uri: String,
    image: Image,
    range: Range<u64>,
) -> Data {
    let (image, ahead, piece) = (Some(image), VecDeque::new(), Bytes::new());
    let reading = Reading { connection, uri, image, left: range, ahead, piece };
    let pieces = stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|piece| (piece, reading)))
    });
    pieces.boxed()
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.piece.is_empty() {
            self.ask_ahead();
            let Some((length, read)) = self.ahead.pop_front() else { return Ok(None) };
            let read = read.await;
            self.piece = read.map_err(|failure| self.connection.failed(&self.uri, failure))?;
            if self.piece.len() < length {
                let why = format!("the image at {} ends early", self.uri);
                return Err(self.connection.unavailable(why));
            }
            self.ask_ahead();
            self.close().await;
        }
        Ok(Some(self.piece.split_to(PIECE.min(self.piece.len()))))
    }

    /// Reads end where those do that begin at 0: none asks more than one object for little.
    fn ask_ahead(&mut self) {
        while self.ahead.len() < AHEAD
            && !self.left.is_empty()
            && let Some(image) = &self.image
        {
            let start = self.left.start;
            let end = (start - start % READ + READ).min(self.left.end);
            // A read is far shorter than lengths can say.
            let length = (end - start) as usize;
            self.ahead.push_back((length, image.read(start, length).boxed()));
            self.left.start = end;
        }
    }

    /// Once all is read it is closed, before the last piece is handed on: who has that may delete
    /// the image at once.
    async fn close(&mut self) {
        if self.left.is_empty()
            && self.ahead.is_empty()
            && let Some(image) = self.image.take()
        {
            let closed = image.closed();
            drop(image);
            closed.wait().await;
        }
    }
}
