//! An upload is looked at while it passes, before anything of it is kept.
//!
//! What is refused is what Glance's CVEs were about (CVE-2015-5163, CVE-2022-47951,
//! CVE-2024-32498): an image whose metadata names other files, which whoever opens it would read
//! for its owner; and an image that is not of the format that it was declared as, which is how such
//! metadata gets past those who look only at the declaration.

use std::ops::Range;

use thiserror::Error;

use crate::facts::{Facts, Reference};
use crate::formats::{self, Format};
use crate::view::{Halt, View};

/// The bytes after which the content is recognized at the latest: ISO 9660's descriptors reach to
/// 38 KiB.
const RECOGNIZED_AFTER: usize = 64 << 10;

/// What is kept of the end: the footer of a VHD of fixed size.
const TAIL: usize = 512;

/// Why an image is not to be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InspectError {
    /// The content is of another format.
    #[error("it is declared as {declared}, but its content is {found}")]
    Mismatch {
        /// What was declared.
        declared: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// It names files that are not part of it.
    #[error("the {format} image refers to {reference}")]
    Refers {
        /// Its format.
        format: &'static str,
        /// The first of what it refers to.
        reference: Reference,
    },
    /// Its metadata is not what the format's specification allows.
    #[error("the {format} image is malformed: {what}")]
    Malformed {
        /// Its format.
        format: &'static str,
        /// What is wrong, with the value that was found.
        what: String,
    },
    /// Its partition table is not what UEFI's specification allows.
    #[error("its partition table has {0}")]
    Partitions(&'static str),
    /// It ends before what its metadata speaks of.
    #[error("it ends at byte {length}, and should go on to {offset} at least")]
    Truncated {
        /// Where what is spoken of ends.
        offset: u64,
        /// Where the image ends.
        length: u64,
    },
    /// Its metadata cannot be looked at as it passes, since it comes before what points to it.
    #[error("its metadata at byte {offset} comes before what points to it; convert it anew")]
    OutOfOrder {
        /// Where it was.
        offset: u64,
    },
}

impl InspectError {
    /// Metadata that the format's specification does not allow.
    pub(crate) fn malformed(format: &'static str, what: impl Into<String>) -> Self {
        InspectError::Malformed { format, what: what.into() }
    }
}

/// Looks at the bytes of an image as they pass, in pieces of any size, and keeps 1 MiB of them at
/// most, beside a few kilobytes of metadata.
#[derive(Debug)]
pub struct Inspector {
    declared: Option<&'static dyn Format>,
    tables: PartitionTables,
    view: View,
    wanted: Wanted,
    passed: u64,
    tail: Vec<u8>,
    facts: Option<Facts>,
}

/// Which partition tables an image may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionTables {
    /// Those that UEFI's specification allows.
    #[default]
    Sound,
    /// Whatever a firmware might boot.
    Any,
}

#[derive(Debug)]
enum Wanted {
    /// Enough to recognize the content.
    Head,
    /// Bytes that come; the vector holds those that have.
    Bytes(Range<u64>, Vec<u8>),
    /// The end.
    End,
    /// Nothing more.
    Nothing,
}

impl Inspector {
    /// For an image declared as `disk_format`, in the Image API's words. Of a format that has nothing
    /// to look at (`ami`, `aki`, `ari`, `ploop`) is what is recognized as no other; unknown ones are
    /// let pass.
    pub fn new(disk_format: &str, tables: PartitionTables) -> Self {
        let declared = formats::declared(disk_format);
        let wanted = if declared.is_some() { Wanted::Head } else { Wanted::Nothing };
        Inspector {
            declared,
            tables,
            view: View::default(),
            wanted,
            passed: 0,
            tail: Vec::new(),
            facts: None,
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// Why the image is not to be used, as soon as it is seen.
    pub fn update(&mut self, piece: &[u8]) -> Result<(), InspectError> {
        let offset = self.passed;
        self.passed += piece.len() as u64;
        self.view.extend_head(piece);
        self.keep_tail(piece);
        if self.capture(offset, piece) { self.look(offset, piece) } else { Ok(()) }
    }

    /// Says that the image is over.
    ///
    /// # Errors
    /// Why the image is not to be used.
    pub fn finish(mut self) -> Result<Facts, InspectError> {
        self.view.end(self.passed, &self.tail);
        if let Wanted::Bytes(range, _) = &self.wanted {
            let (offset, length) = (range.end, self.passed);
            return Err(InspectError::Truncated { offset, length });
        }
        if !matches!(self.wanted, Wanted::Nothing) {
            self.look(self.passed, &[])?;
        }
        Ok(self.facts.unwrap_or_default())
    }

    /// Whether what was wanted is there.
    fn capture(&mut self, offset: u64, piece: &[u8]) -> bool {
        match &mut self.wanted {
            Wanted::Head => self.view.head().len() >= RECOGNIZED_AFTER,
            Wanted::Bytes(range, bytes) => {
                let next = range.start + bytes.len() as u64;
                bytes.extend_from_slice(part(piece, offset, next..range.end));
                let complete = next_of(range.start, bytes) == range.end;
                if complete {
                    let bytes = std::mem::take(bytes);
                    self.view.add(range.start, bytes);
                }
                complete
            }
            Wanted::End | Wanted::Nothing => false,
        }
    }

    /// Runs the parser until it needs what has not come yet. `piece`, which is at `offset`, is the
    /// last that came.
    fn look(&mut self, offset: u64, piece: &[u8]) -> Result<(), InspectError> {
        let Some(declared) = self.declared else { return Ok(()) };
        loop {
            match judge(declared, self.tables, &self.view) {
                Ok(facts) => {
                    self.facts = Some(facts);
                    self.wanted = Wanted::Nothing;
                    return Ok(());
                }
                Err(Halt::Refuse(why)) => return Err(why),
                Err(Halt::NeedEnd) => {
                    self.wanted = Wanted::End;
                    return Ok(());
                }
                Err(Halt::Need(range)) => {
                    let bytes = self.begin(&range, offset, piece)?;
                    if next_of(range.start, &bytes) < range.end {
                        self.wanted = Wanted::Bytes(range, bytes);
                        return Ok(());
                    }
                    self.view.add(range.start, bytes);
                }
            }
        }
    }

    /// What there is already of a range: from the head, and then from the piece in hand.
    fn begin(
        &self,
        range: &Range<u64>,
        offset: u64,
        piece: &[u8],
    ) -> Result<Vec<u8>, InspectError> {
        let mut bytes = part(self.view.head(), 0, range.clone()).to_vec();
        let next = next_of(range.start, &bytes);
        bytes.extend_from_slice(part(piece, offset, next..range.end));
        let next = next_of(range.start, &bytes);
        if next < self.passed.min(range.end) {
            return Err(InspectError::OutOfOrder { offset: range.start });
        }
        Ok(bytes)
    }

    fn keep_tail(&mut self, piece: &[u8]) {
        let last = &piece[piece.len().saturating_sub(TAIL)..];
        self.tail.extend_from_slice(last);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }
}

/// What lies in `range` of bytes that begin at `offset`, as far as it begins there.
fn part(bytes: &[u8], offset: u64, range: Range<u64>) -> &[u8] {
    let end = offset + bytes.len() as u64;
    if range.start < offset || range.start >= end || range.is_empty() {
        return &[];
    }
    let place = |at: u64| (at - offset) as usize;
    &bytes[place(range.start)..place(range.end.min(end))]
}

fn next_of(start: u64, bytes: &[u8]) -> u64 {
    start + bytes.len() as u64
}

/// The whole verdict on an image that was declared as `declared`.
fn judge(
    declared: &'static dyn Format,
    tables: PartitionTables,
    view: &View,
) -> Result<Facts, Halt> {
    let found = formats::recognize(view);
    if !declared.takes(found) {
        return Err(formats::mismatch(declared, found).into());
    }
    if tables == PartitionTables::Sound {
        formats::expect_sound(view)?;
    }
    let facts = declared.inspect(view)?;
    match facts.references.first() {
        None => Ok(facts),
        Some(reference) => {
            let (format, reference) = (declared.name(), reference.clone());
            Err(InspectError::Refers { format, reference }.into())
        }
    }
}
