//! The bytes of an image that are known so far, for parsers that see a stream pass by.
//!
//! A parser is plain code over a [`View`]: it asks for bytes, and where these have not come yet it
//! stops with [`Halt::Need`] and is run again from its start once they have. So one parser serves
//! an upload, which cannot be rewound, and a file.

use std::ops::Range;

use crate::inspect::InspectError;

/// What is kept of an image's beginning, whatever its format. Everything that a parser asks for
/// behind it has to come in the order of the file. VHDX keeps its region table within it
/// ([MS-VHDX] 2.2).
pub(crate) const HEAD: usize = 1 << 20;

/// A parser may not ask for more at once: qcow2's first cluster is the longest, 2 MiB.
const LONGEST: u64 = 2 << 20;

/// Why a parser stops.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It goes on once these bytes are there.
    Need(Range<u64>),
    /// It goes on once the image has ended and its length is known.
    NeedEnd,
    /// The image is not to be used.
    Refuse(InspectError),
}

impl From<InspectError> for Halt {
    fn from(why: InspectError) -> Self {
        Halt::Refuse(why)
    }
}

/// What is known of an image.
#[derive(Debug, Default)]
pub(crate) struct View {
    head: Vec<u8>,
    later: Vec<(u64, Vec<u8>)>,
    tail: Vec<u8>,
    length: Option<u64>,
}

impl View {
    /// The image's length, once it has ended.
    pub(crate) fn length(&self) -> Result<u64, Halt> {
        self.length.ok_or(Halt::NeedEnd)
    }

    /// `length` bytes at `offset`.
    pub(crate) fn bytes(&self, offset: u64, length: u64) -> Result<&[u8], Halt> {
        let range = offset..offset.saturating_add(length.min(LONGEST));
        if let Some(bytes) = self.find(&range) {
            return Ok(bytes);
        }
        match self.length {
            Some(length) if range.end > length => {
                Err(InspectError::Truncated { offset: range.end, length }.into())
            }
            _ => Err(Halt::Need(range)),
        }
    }

    fn find(&self, range: &Range<u64>) -> Option<&[u8]> {
        let within = |start: u64, bytes: &[u8]| {
            range.start >= start && range.end <= start + bytes.len() as u64
        };
        let later = self.later.iter().map(|(start, bytes)| (*start, bytes.as_slice()));
        let (start, bytes) =
            std::iter::once((0, self.head.as_slice())).chain(later).find(|(s, b)| within(*s, b))?;
        let place = usize::try_from(range.start - start).ok()?;
        bytes.get(place..place + usize::try_from(range.end - range.start).ok()?)
    }

    /// What there is of the image's beginning.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The last bytes of the image, up to a sector of 512.
    pub(crate) fn tail(&self) -> Result<&[u8], Halt> {
        self.length().map(|_| self.tail.as_slice())
    }

    /// Adds to the beginning what it still misses of `piece`, the next of the image.
    pub(crate) fn extend_head(&mut self, piece: &[u8]) {
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(&piece[..missing.min(piece.len())]);
    }

    /// Adds bytes that were asked for.
    pub(crate) fn add(&mut self, offset: u64, bytes: Vec<u8>) {
        self.later.push((offset, bytes));
    }

    /// Says that the image is over.
    pub(crate) fn end(&mut self, length: u64, tail: &[u8]) {
        self.length = Some(length);
        self.tail = tail.to_vec();
    }
}

/// Big-endian and little-endian numbers in metadata; a slice that is too short is the caller's
/// mistake, since [`View::bytes`] gives what was asked for.
pub(crate) mod number {
    fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&bytes[at..at + N]);
        array
    }

    pub(crate) fn be16(bytes: &[u8], at: usize) -> u16 {
        u16::from_be_bytes(array(bytes, at))
    }

    pub(crate) fn be32(bytes: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(array(bytes, at))
    }

    pub(crate) fn be64(bytes: &[u8], at: usize) -> u64 {
        u64::from_be_bytes(array(bytes, at))
    }

    pub(crate) fn le16(bytes: &[u8], at: usize) -> u16 {
        u16::from_le_bytes(array(bytes, at))
    }

    pub(crate) fn le32(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(array(bytes, at))
    }

    pub(crate) fn le64(bytes: &[u8], at: usize) -> u64 {
        u64::from_le_bytes(array(bytes, at))
    }
}
