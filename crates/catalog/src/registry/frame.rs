//! Frames: the length of what follows, the number of a call, whether more of it follows, and a piece
//! of it. Numbers are little-endian.
//!
//! A call is the name of an operation, the key of a change (zeros of a reading), how long ago it was
//! first asked for in milliseconds, and the arguments; the answer is a result. Both are MessagePack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::broken::Broken;
use crate::{Cause, Error};

/// Bytes of a call at most: an image with all its properties, or a file of definitions.
pub(super) const LONGEST_CALL: usize = 16 << 20;

/// Bytes of an answer at most: the identifiers of some millions of images.
pub(super) const LONGEST_ANSWER: usize = 128 << 20;

/// Values within values at most: twice what JSON may have when it comes to the service, and few
/// enough for every stack.
const DEEPEST: usize = 256;

/// How often each side gives a sign of life.
pub(super) const BEAT: Duration = Duration::from_secs(3);

/// After how long without one the other side is given up.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// How long a frame may take from its first byte to its last.
const LONGEST_ARRIVAL: Duration = Duration::from_secs(60);

/// Bytes of a piece of an answer.
const PIECE: usize = 64 << 10;

/// Bytes before a piece: length, number, and whether more follows.
const HEAD: usize = 4 + 4 + 1;

/// The number of what is no call: a sign of life.
pub(super) const ALIVE: u32 = 0;

/// What marks a change, and its repetition.
pub(super) type Key = [u8; 16];

/// A piece of a call or of an answer.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) number: u32,
    pub(super) more: bool,
    pub(super) piece: Bytes,
    /// Its share of the memory that all calls have together.
    pub(super) share: Option<OwnedSemaphorePermit>,
}

/// What arrives on a connection.
pub(super) struct Frames<R> {
    from: R,
    read: BytesMut,
    longest: usize,
    memory: Option<Arc<Semaphore>>,
    arriving: Option<Arriving>,
}

/// A frame whose length is known.
struct Arriving {
    length: usize,
    since: Instant,
    share: Option<OwnedSemaphorePermit>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(from: R, longest: usize) -> Self {
        let read = BytesMut::with_capacity(PIECE);
        Self { from, read, longest, memory: None, arriving: None }
    }

    /// The same, where frames of all connections together take no more than these bytes: further
    /// ones aren't read until others are dropped.
    pub(super) fn within(self, memory: Arc<Semaphore>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The next frame; `None` at the end. Errors: `TooLong`; `Silent` after 10 seconds without a
    /// byte, or 60 seconds in the middle of a frame.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        loop {
            if self.arriving.is_none() {
                self.arriving = self.announced().await?;
            }
            if let Some(frame) = self.whole() {
                return Ok(Some(frame));
            }
            self.read.reserve(PIECE);
            let read = timeout(self.patience(), self.from.read_buf(&mut self.read));
            if read.await.map_err(|_| Broken::Silent)?? == 0 {
                return Ok(None);
            }
        }
    }

    /// The frame whose length has arrived, once there is memory for it.
    async fn announced(&mut self) -> Result<Option<Arriving>, Broken> {
        let Some((length, _)) = self.read.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length < HEAD - 4 || length > self.longest + HEAD {
            return Err(Broken::TooLong(length));
        }
        let share = match &self.memory {
            // Never closed, and longer than a frame.
            Some(memory) => memory.clone().acquire_many_owned(length as u32).await.ok(),
            None => None,
        };
        Ok(Some(Arriving { length, since: Instant::now(), share }))
    }

    fn whole(&mut self) -> Option<Frame> {
        let Arriving { length, share, .. } =
            self.arriving.take_if(|arriving| self.read.len() >= 4 + arriving.length)?;
        self.read.advance(4);
        let mut frame = self.read.split_to(length).freeze();
        let number = frame.get_u32_le();
        let more = frame.get_u8() != 0;
        Some(Frame { number, more, piece: frame, share })
    }

    fn patience(&self) -> Duration {
        let left = |arriving: &Arriving| LONGEST_ARRIVAL.saturating_sub(arriving.since.elapsed());
        self.arriving.as_ref().map_or(SILENCE, left).min(SILENCE)
    }
}

/// Writes a frame behind others.
pub(super) fn put(to: &mut BytesMut, number: u32, more: bool, piece: &[u8]) {
    to.reserve(HEAD + piece.len());
    to.put_u32_le((HEAD - 4 + piece.len()) as u32);
    to.put_u32_le(number);
    to.put_u8(u8::from(more));
    to.put_slice(piece);
}

/// The pieces of an answer, each with whether more follow.
pub(super) fn pieces(answer: &Bytes) -> impl Iterator<Item = (bool, Bytes)> {
    let count = answer.len().div_ceil(PIECE).max(1);
    (0..count).map(move |at| {
        let end = answer.len().min((at + 1) * PIECE);
        (at + 1 < count, answer.slice(at * PIECE..end))
    })
}

/// A call, as it arrived.
pub(super) struct Call {
    pub(super) operation: String,
    /// Of a change.
    pub(super) key: Option<Key>,
    /// Milliseconds since it was first asked for, where it is a repetition.
    pub(super) age: u32,
    pub(super) arguments: Bytes,
}

/// Bytes between the name of the operation and the arguments.
const MARKS: usize = 16 + 4;

impl Call {
    pub(super) fn encoded<A: Serialize>(
        operation: &str,
        key: Option<Key>,
        arguments: &A,
    ) -> Result<Vec<u8>, Error> {
        let mut call = Vec::with_capacity(512);
        call.put_u8(operation.len() as u8);
        call.put_slice(operation.as_bytes());
        call.put_slice(&key.unwrap_or_default());
        call.put_u32_le(0);
        encode(&mut call, arguments)?;
        match call.len() > LONGEST_CALL {
            true => Err(unreadable(format!("{operation}: {} bytes are too many", call.len()))),
            false => Ok(call),
        }
    }

    /// Says in an encoded call for how long it has been asked for.
    pub(super) fn repeat(call: &mut [u8], age: u32) {
        let at = 1 + usize::from(call.first().copied().unwrap_or_default()) + MARKS - 4;
        if let Some(place) = call.get_mut(at..at + 4) {
            place.copy_from_slice(&age.max(1).to_le_bytes());
        }
    }

    pub(super) fn decoded(mut call: Bytes) -> Option<Self> {
        let length = usize::from(call.try_get_u8().ok()?);
        if call.len() < length + MARKS {
            return None;
        }
        let operation = String::from_utf8(call.split_to(length).into()).ok()?;
        let mut key = Key::default();
        call.copy_to_slice(&mut key);
        let age = call.get_u32_le();
        let key = (key != Key::default()).then_some(key);
        Some(Self { operation, key, age, arguments: call })
    }
}

pub(super) fn encode<T: Serialize>(to: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    let mut serializer = rmp_serde::Serializer::new(to).with_struct_map();
    value.serialize(&mut serializer).map_err(|error| unreadable(error.to_string()))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEEPEST);
    T::deserialize(&mut deserializer).map_err(|error| unreadable(error.to_string()))
}

/// What was said can't be understood, which a repetition won't mend.
fn unreadable(what: String) -> Error {
    Error::Database(Cause::Registry(format!("the registry and its client don't agree: {what}")))
}
