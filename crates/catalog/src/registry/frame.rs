//! Frames: the length of what follows, the number of a call, whether more of it follows, and a piece
//! of it. Numbers are little-endian.
//!
//! A call is the name of an operation, the key of a change (zeros of a reading), how long ago it was
//! first asked for in milliseconds, and the arguments; the answer is a result. Both are MessagePack.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Cause, Error};

/// Bytes of a call at most: an image with all its properties, or a file of definitions.
pub(super) const LONGEST_CALL: usize = 16 << 20;

/// Bytes of an answer at most: the identifiers of some millions of images.
pub(super) const LONGEST_ANSWER: usize = 128 << 20;

/// Bytes of a piece of an answer.
const PIECE: usize = 64 << 10;

/// Bytes before a piece: length, number, and whether more follows.
const HEAD: usize = 4 + 4 + 1;

/// The number of what is no call: a sign of life.
pub(super) const ALIVE: u32 = 0;

/// What marks a change, and its repetition.
pub(super) type Key = [u8; 16];

/// Why a connection can't be used any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The connection itself.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The keys don't fit.
    #[error("the other side is not who it should be, or doesn't accept who we are: {0}")]
    Unproven(String),
    /// It spoke of something else.
    #[error("the other side speaks another language")]
    Stranger,
    /// It speaks another version.
    #[error(
        "the {who} (tintype {software}) speaks version {theirs} of the protocol, this tintype \
         speaks version {ours}; upgrade the older one"
    )]
    Version {
        /// Who the other side is.
        who: &'static str,
        /// Its release.
        software: String,
        /// Its version.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// A frame of more bytes than there can be.
    #[error("a message of {0} bytes, which is more than there may be")]
    TooLong(usize),
    /// Nothing was heard.
    #[error("no sign of life")]
    Silent,
}

/// A piece of a call or of an answer.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) number: u32,
    pub(super) more: bool,
    pub(super) piece: Bytes,
}

/// What arrives on a connection.
pub(super) struct Frames<R> {
    from: R,
    read: BytesMut,
    longest: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(from: R, longest: usize) -> Self {
        Self { from, read: BytesMut::with_capacity(PIECE), longest }
    }

    /// The next frame; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        loop {
            if let Some(frame) = self.parsed()? {
                return Ok(Some(frame));
            }
            self.read.reserve(PIECE);
            if self.from.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn parsed(&mut self) -> Result<Option<Frame>, Broken> {
        let Some((length, _)) = self.read.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length < HEAD - 4 || length > self.longest + HEAD {
            return Err(Broken::TooLong(length));
        }
        if self.read.len() < 4 + length {
            return Ok(None);
        }
        self.read.advance(4);
        let mut frame = self.read.split_to(length).freeze();
        let number = frame.get_u32_le();
        let more = frame.get_u8() != 0;
        Ok(Some(Frame { number, more, piece: frame }))
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
    rmp_serde::from_slice(bytes).map_err(|error| unreadable(error.to_string()))
}

/// What was said can't be understood, which a repetition won't mend.
fn unreadable(what: String) -> Error {
    Error::Database(Cause::Registry(format!("the registry and its client don't agree: {what}")))
}
