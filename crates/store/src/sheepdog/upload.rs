//! The way in: a VDI is made, its objects are written as they fill, and it is as long as they are
//! at the end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::inode::Header;
use super::protocol::{self, Caching};
use super::read::STEP;
use super::vdi::{Piece, Vdi};
use crate::remote::{Begun, Part, Parts, Pending};
use crate::{Error, Result, Source};

/// Objects that are written at once.
const AT_ONCE: u32 = 4;

/// An upload that is under way, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Upload {
    vdi: Vdi,
    /// Whether the VDI may be there and is not to stay.
    begun: Begun,
    /// How many of its bytes were sent.
    reached: Arc<AtomicU64>,
    pending: Pending,
}

impl Upload {
    pub(super) fn to(vdi: Vdi) -> Self {
        let (begun, reached) = Default::default();
        Self { vdi, begun, reached, pending: Pending::at_once(AT_ONCE) }
    }

    /// Sends all of a source; returns how many bytes they were. Where their number is not known,
    /// the VDI grows by `step` bytes.
    pub(super) async fn send(&self, hint: Option<u64>, step: u64, source: Source) -> Result<u64> {
        let announced = hint.unwrap_or(step);
        self.create(announced).await?;
        let inode = self.vdi.inode(Caching::Bypassed).await?;
        self.vdi.need_room(&inode.header, announced)?;
        let mut growing = Growing { upload: self, to: inode.header, size: announced, step, at: 0 };
        let mut parts = Parts::of(source);
        loop {
            let part = parts.next(growing.next_length()).await?;
            if part.length == 0 {
                break;
            }
            growing.write(part).await?;
        }
        growing.finish().await
    }

    /// Makes the VDI one that shares the objects of another, of the same cluster; returns how many
    /// bytes they are.
    pub(super) async fn derive(&self, from: Vdi) -> Result<u64> {
        let upload = self.clone();
        let deriving = async move {
            let tag = upload.vdi.name.clone();
            let snapshot = from.snapshot(&tag).await?;
            let derived = upload.beginning(upload.vdi.derive(&snapshot)).await;
            // What they share stays while one of them has it.
            from.remove(&tag).await?;
            derived
        };
        self.pending.run(deriving).await?;
        self.pending.settled().await?;
        Ok(self.vdi.header().await?.size)
    }

    async fn create(&self, size: u64) -> Result<()> {
        let upload = self.clone();
        self.pending.run(async move { upload.beginning(upload.vdi.create(size)).await }).await?;
        self.pending.settled().await
    }

    /// What makes the VDI, and is to be undone from then on.
    async fn beginning(&self, making: impl Future<Output = Result<u32>>) -> Result<()> {
        self.begun.set();
        let made = making.await;
        made.map(drop).map_err(|error| self.begun.spare_others(error))
    }

    /// Removes what was sent. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        // What goes wrong now is why it is undone.
        let _ = self.pending.settled().await;
        if !self.begun.is_set() {
            return;
        }
        match self.vdi.remove_unfinished(self.reached.load(Ordering::SeqCst)).await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::error!(%error, "a VDI that is not whole stays"),
        }
    }
}

/// A VDI that is being filled.
struct Growing<'a> {
    upload: &'a Upload,
    to: Header,
    /// How long the VDI is, and by how much it grows, in bytes.
    size: u64,
    step: u64,
    /// Where the next bytes go.
    at: u64,
}

impl Growing<'_> {
    /// How long the next part is, unless it is the last: to the end of an object.
    fn next_length(&self) -> u64 {
        STEP.min(self.to.object() - self.at % self.to.object())
    }

    async fn write(&mut self, part: Part) -> Result<()> {
        let end = self.at + part.length;
        if end > self.size {
            self.resize(end.max(self.size + self.step)).await?;
        }
        let (vdi, to, at) = (self.upload.vdi.clone(), self.to, self.at);
        let first = self.at == 0;
        self.at = end;
        self.upload.reached.store(end, Ordering::SeqCst);
        // Zeros are read where there is no object.
        if part.is_zero() && to.object() <= STEP {
            return Ok(());
        }
        self.upload.pending.run(async move { write(&vdi, &to, at, part).await }).await?;
        // What refuses the first refuses all. Parts of the same object keep their order.
        match first || to.object() > STEP {
            true => self.upload.pending.settled().await,
            false => Ok(()),
        }
    }

    async fn finish(mut self) -> Result<u64> {
        self.upload.pending.settled().await?;
        if self.at != self.size {
            self.resize(self.at).await?;
        }
        Ok(self.at)
    }

    async fn resize(&mut self, size: u64) -> Result<()> {
        self.upload.vdi.resize(size).await?;
        self.size = size;
        Ok(())
    }
}

async fn write(vdi: &Vdi, to: &Header, at: u64, part: Part) -> Result<()> {
    let offset = at % to.object();
    let object = protocol::object(to.vdi, (at / to.object()) as u32);
    let piece = Piece { object, offset: offset as u32, length: part.length as u32 };
    match offset {
        0 => vdi.add(piece, to, &part.pieces).await,
        _ => vdi.write(piece, to, &part.pieces).await,
    }
}
