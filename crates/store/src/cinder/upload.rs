//! The way in: a volume is made, attached and filled, and grows where the image is longer.

use std::sync::{Arc, Mutex, PoisonError};

use image::ImageId;
use uuid::Uuid;

use super::attached::Attaching;
use super::device::Device;
use super::volume::{GIB, Mark, New, Volume};
use crate::remote::Parts;
use crate::{Error, Result, Source};

/// How many bytes a write has, at most.
pub(super) const WRITE: u64 = 4 * 1024 * 1024;

/// How volumes are made and grow.
#[derive(Debug, Clone)]
pub(super) struct Making {
    pub(super) volume_type: Option<String>,
    /// Volumes grow while they are attached.
    pub(super) grow_attached: bool,
}

/// A volume that is being filled, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Half {
    attaching: Arc<Attaching>,
    id: ImageId,
    mark: Mark,
    made: Arc<Mutex<Made>>,
}

/// What there is to be undone.
#[derive(Debug, Clone, Copy, Default)]
enum Made {
    #[default]
    Nothing,
    /// One is asked for: it may be there, or come.
    Asked,
    Volume(Uuid),
}

impl Half {
    /// An upload into the store that has the mark.
    pub(super) fn of(attaching: Arc<Attaching>, id: ImageId, mark: &Mark) -> Self {
        Self { attaching, id, mark: mark.of_upload(), made: Arc::default() }
    }

    /// The volume that was made.
    pub(super) fn volume(&self) -> Option<Uuid> {
        match self.made() {
            Made::Volume(id) => Some(id),
            Made::Nothing | Made::Asked => None,
        }
    }

    /// Fills a new volume with all of a source; returns how many bytes they were.
    pub(super) async fn fill(
        &self,
        making: &Making,
        hint: Option<u64>,
        source: Source,
    ) -> Result<u64> {
        let kind = making.volume_type.as_deref();
        let new =
            New { id: self.id, mark: &self.mark, size: hint, volume_type: kind, source: None };
        let volume = self.make(&new).await?;
        let mut filling = Filling { parts: Parts::of(source), end: 0 };
        match making.grow_attached {
            true => self.grow_attached(&volume, &mut filling).await?,
            false => self.grow_detached(&volume, &mut filling).await?,
        }
        self.finish(volume.id, hint, filling.end).await?;
        Ok(filling.end)
    }

    /// Makes a clone of a volume, whose image has that many bytes.
    pub(super) async fn clone_of(&self, source: &Volume) -> Result<u64> {
        let size = source.image_size();
        let new = New {
            id: self.id,
            mark: &self.mark,
            size: Some(size),
            volume_type: None,
            source: Some(source),
        };
        let volume = self.make(&new).await?;
        self.finish(volume.id, Some(size), size).await?;
        Ok(size)
    }

    async fn make(&self, new: &New<'_>) -> Result<Volume> {
        self.set(Made::Asked);
        let session = &self.attaching.session;
        let volume = session.create(new).await?;
        self.set(Made::Volume(volume.id));
        session.became(volume.id, "creating", "available").await
    }

    async fn grow_attached(&self, volume: &Volume, filling: &mut Filling) -> Result<()> {
        let session = &self.attaching.session;
        let attached = self.attaching.writing(volume.id).await?;
        let fill = async {
            let mut room = volume.room();
            while filling.fill(&*attached.device, room).await? {
                room = session.extend(volume.id, room / GIB + 1, "in-use").await?.room();
            }
            Ok(())
        };
        let filled = fill.await;
        self.attaching.written(attached, filled).await
    }

    async fn grow_detached(&self, volume: &Volume, filling: &mut Filling) -> Result<()> {
        let session = &self.attaching.session;
        let mut room = volume.room();
        loop {
            let attached = self.attaching.writing(volume.id).await?;
            let filled = filling.fill(&*attached.device, room).await;
            if !self.attaching.written(attached, filled).await? {
                return Ok(());
            }
            room = session.extend(volume.id, room / GIB + 1, "available").await?.room();
        }
    }

    /// Says what is known now, and lets nobody write any more.
    async fn finish(&self, volume: Uuid, told: Option<u64>, size: u64) -> Result<()> {
        let session = &self.attaching.session;
        if told != Some(size) {
            session.tell_size(volume, self.id, size).await?;
        }
        session.make_readonly(volume).await
    }

    /// Removes what was made. What can't be removed is logged: the next start's sweep has it.
    pub(super) async fn undo(self) {
        let removed = match self.made() {
            Made::Nothing => return,
            Made::Asked => self.attaching.remove_all(self.id, &self.mark).await.map(drop),
            Made::Volume(volume) => self.attaching.remove(volume, true).await,
        };
        match removed {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => {
                tracing::error!(%error, image = %self.id, "a volume that is not whole stays")
            }
        }
    }

    fn made(&self) -> Made {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, made: Made) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = made;
    }
}

/// What a volume is filled with.
struct Filling {
    parts: Parts,
    /// How many bytes were written.
    end: u64,
}

impl Filling {
    /// Writes until a volume of that many bytes is full, or nothing is left; says whether there is
    /// something left.
    async fn fill(&mut self, device: &dyn Device, room: u64) -> Result<bool> {
        let mut writer = device.write(room).await?;
        while self.end < room {
            let part = self.parts.next(WRITE.min(room - self.end)).await?;
            let length = part.length;
            if length == 0 {
                break;
            }
            writer.write(self.end, part).await?;
            self.end += length;
        }
        writer.finish().await?;
        match self.parts.piece().await? {
            Some(piece) => {
                self.parts.again(piece);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl Attaching {
    /// Removes a volume that nobody writes any more, with what a writer left attached: to this host where
    /// it was filled here.
    pub(super) async fn remove(&self, id: Uuid, is_from_here: bool) -> Result<()> {
        self.detach_all(id, is_from_here).await?;
        self.session.remove(id).await
    }

    /// Removes all volumes of an image that have a mark; says whether there were any.
    pub(super) async fn remove_all(&self, id: ImageId, mark: &Mark) -> Result<bool> {
        let volumes = self.session.volumes_of(id, mark).await?;
        for volume in &volumes {
            match self.remove(volume.id, mark.is_from_here(volume)).await {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(!volumes.is_empty())
    }
}
