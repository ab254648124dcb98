//! The way out: objects one after the other, some of them ahead of the reader.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};

use super::inode::Inode;
use super::protocol;
use super::vdi::{Piece, Vdi};
use crate::remote::{Answer, Reader};
use crate::{Error, Result};

/// What is read or written with one request, in bytes at most: an object, as long as they usually
/// are.
pub(super) const STEP: u64 = 4 * 1024 * 1024;

/// Steps that are asked for ahead.
const AHEAD: usize = 3;

/// How often reading goes on after a break without progress.
const RETRIES: u32 = 3;

/// An image that is read. Where its bytes are is known from the beginning: what replaces the VDI
/// meanwhile has objects of its own.
pub(super) struct Object {
    vdi: Vdi,
    inode: Arc<Inode>,
}

impl Object {
    pub(super) fn of(vdi: Vdi, inode: Inode) -> Arc<Self> {
        Arc::new(Self { vdi, inode: Arc::new(inode) })
    }
}

#[async_trait]
impl Reader for Object {
    async fn read(&self, range: Range<u64>) -> Result<Answer> {
        if range.end > self.inode.readable() {
            return Err(self.short());
        }
        let inode = self.inode.clone();
        let mut steps = steps(range, inode.header.object());
        // What can't be read is told before anything is sent on.
        let first = steps.next().map(|step| bytes(self.vdi.clone(), inode.clone(), step));
        let first = match first {
            Some(first) => first.await?,
            None => return Ok(stream::empty().boxed()),
        };
        let vdi = self.vdi.clone();
        let rest = stream::iter(steps).map(move |step| bytes(vdi.clone(), inode.clone(), step));
        Ok(stream::iter([Ok(first)]).chain(rest.buffered(AHEAD)).boxed())
    }

    fn retries(&self) -> u32 {
        RETRIES
    }

    fn short(&self) -> Error {
        self.vdi.node.failing(format!("{} ends early", self.vdi.uri()))
    }
}

/// Bytes of one object that are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    index: u32,
    offset: u32,
    length: u32,
}

/// The steps in which a range is read that lies within the largest VDI.
fn steps(range: Range<u64>, object: u64) -> impl Iterator<Item = Step> + Send {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let offset = at % object;
        let length = (range.end.saturating_sub(at)).min(object - offset).min(STEP);
        let step =
            Step { index: (at / object) as u32, offset: offset as u32, length: length as u32 };
        at += length;
        (length > 0).then_some(step)
    })
}

async fn bytes(vdi: Vdi, inode: Arc<Inode>, step: Step) -> Result<Bytes> {
    let Step { index, offset, length } = step;
    match inode.owners[index as usize] {
        0 => Ok(BytesMut::zeroed(length as usize).freeze()),
        owner => {
            let object = protocol::object(owner, index);
            vdi.bytes(Piece { object, offset, length }).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_object_by_object() {
        let of = |range, object| {
            steps(range, object).map(|s| (s.index, s.offset, s.length)).collect::<Vec<_>>()
        };
        assert!(of(0..0, STEP).is_empty() && of(9..9, STEP).is_empty());
        assert_eq!(of(0..5_000_000, STEP), [(0, 0, 4_194_304), (1, 0, 805_696)]);
        assert_eq!(of(4_194_303..4_194_305, STEP), [(0, 4_194_303, 1), (1, 0, 1)]);
        assert_eq!(of(0..3 << 20, 1 << 20), [(0, 0, 1 << 20), (1, 0, 1 << 20), (2, 0, 1 << 20)]);
        let of_8_mib = of(1..9 << 20, 8 << 20);
        assert_eq!(
            of_8_mib,
            [(0, 1, 4 << 20), (0, (4 << 20) + 1, (4 << 20) - 1), (1, 0, 1 << 20),]
        );
    }
}
