//! Volumes that are attached: for one writer, or for all readers of this process together, for most
//! volumes can be attached once only. The last of them gives the attachment up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Held, OnceLock, PoisonError};

use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use super::attachment::Mode;
use super::device::{Connection, Device, Devices, Tools};
use super::host::Host;
use super::session::Session;
use crate::{Cleanups, Error, Result};

/// What attaches and detaches.
pub(super) struct Attaching {
    pub(super) session: Arc<Session>,
    devices: Arc<Devices>,
    multipath: Multipath,
    tools: Tools,
    host: OnceCell<Host>,
    read: Held<HashMap<Uuid, Arc<Slot>>>,
    pub(super) cleanups: Cleanups,
}

/// What is asked of multipath, for connections that can have several ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Multipath {
    pub(super) wanted: bool,
    pub(super) enforced: bool,
}

/// A volume that is attached, and how it is used.
pub(super) struct Attached {
    connection: Arc<Connection>,
    pub(super) device: Arc<dyn Device>,
}

/// A volume that may be read. Whoever attaches or detaches it has the lock.
#[derive(Default)]
struct Slot(Mutex<Readers>);

#[derive(Default)]
struct Readers {
    count: usize,
    attached: Option<Attached>,
    /// What could not be given up, and can't be used any more.
    left: Option<Arc<Connection>>,
}

impl Attaching {
    pub(super) fn new(
        session: Arc<Session>,
        devices: Devices,
        multipath: Multipath,
        tools: Tools,
    ) -> Self {
        let (host, read, cleanups) = (OnceCell::new(), Held::default(), Cleanups::default());
        Self { session, devices: Arc::new(devices), multipath, tools, host, read, cleanups }
    }

    /// Attaches a volume to be written. A writer that is dropped leaves it attached: whoever removes
    /// the volume gives that up.
    pub(super) async fn writing(&self, volume: Uuid) -> Result<Attached> {
        self.attach(volume, Mode::Write).await
    }

    /// Gives up what was attached to be written, whatever came of it.
    pub(super) async fn written<T>(&self, attached: Attached, done: Result<T>) -> Result<T> {
        let detached = detach(&self.session, &self.devices, &attached.connection).await;
        let done = done?;
        detached.map(|()| done)
    }

    /// Attaches a volume to be read, unless it is already. Errors: `InUse` where another host has
    /// it, or a writer.
    pub(super) async fn reading(self: &Arc<Self>, volume: Uuid) -> Result<Lease> {
        loop {
            let slot = self.slots().entry(volume).or_default().clone();
            let mut readers = slot.0.lock().await;
            let known = self.slots().get(&volume).is_some_and(|known| Arc::ptr_eq(known, &slot));
            // Its last reader has just gone, and so has this slot.
            if !known {
                continue;
            }
            if readers.attached.is_none() {
                self.clear(&mut readers).await?;
                readers.attached = Some(self.attach(volume, Mode::Read).await?);
            }
            readers.count += 1;
            drop(readers);
            return Ok(Lease { attaching: Some(self.clone()), volume, slot });
        }
    }

    /// Lets go of a volume that this process has attached for nobody any more. Errors: `InUse` where
    /// somebody reads it.
    pub(super) async fn release(&self, volume: Uuid) -> Result<()> {
        let slot = self.slots().get(&volume).cloned();
        let Some(slot) = slot else { return Ok(()) };
        let mut readers = slot.0.lock().await;
        if readers.count > 0 {
            let why = "it is being read".to_owned();
            return Err(Error::InUse { uri: format!("the volume {volume}"), why });
        }
        self.let_go(volume, &mut readers).await
    }

    /// What can't be given up stays attached until the next reader comes.
    async fn let_go(&self, volume: Uuid, readers: &mut Readers) -> Result<()> {
        if let Some(attached) = readers.attached.take() {
            readers.left = Some(attached.connection);
        }
        self.clear(readers).await?;
        self.slots().remove(&volume);
        Ok(())
    }

    async fn clear(&self, readers: &mut Readers) -> Result<()> {
        if let Some(connection) = &readers.left {
            detach(&self.session, &self.devices, connection).await?;
            readers.left = None;
        }
        Ok(())
    }

    async fn attach(&self, volume: Uuid, mode: Mode) -> Result<Attached> {
        let attachment = self.session.reserve(volume, mode).await?;
        let known = Arc::new(OnceLock::new());
        let (session, devices, made) = (self.session.clone(), self.devices.clone(), known.clone());
        let undo = async move {
            let undone = match made.get() {
                Some(connection) => detach(&session, &devices, connection).await,
                None => session.detach(attachment).await,
            };
            if let Err(error) = undone {
                tracing::error!(%error, %volume, %attachment, "a volume stays attached");
            }
        };
        let work = async {
            let host = Host::of_system(self.multipath, &self.tools);
            let host = self.host.get_or_init(|| host).await;
            let to = self.session.connect(attachment, host).await?;
            let connection = known.get_or_init(|| Connection::new(attachment, to));
            let device = self.devices.connect(&self.session, connection, mode).await?;
            self.session.complete(attachment).await?;
            Ok(Attached { connection: connection.clone(), device })
        };
        self.cleanups.guard(undo, work).await
    }

    /// Gives up all attachments of a volume, whoever asked for them: a writer that was dropped, or a
    /// process that is no more. Where they are this host's, what it still has of them is let go of before;
    /// what they say of another host may be somebody else's disk here.
    pub(super) async fn detach_all(&self, volume: Uuid, are_here: bool) -> Result<()> {
        for attachment in self.session.attachments(volume).await? {
            let to = match self.session.connection(attachment).await {
                Err(Error::NotFound(_)) => continue,
                to => to?,
            };
            match to.filter(|_| are_here) {
                Some(to) => {
                    detach(&self.session, &self.devices, &Connection::new(attachment, to)).await?;
                }
                None => self.session.detach(attachment).await?,
            }
        }
        Ok(())
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Slot>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go of a volume, then gives its attachment up: what the host still has then may become another
/// volume's. Errors: it can't be let go of, and stays attached.
async fn detach(
    session: &Arc<Session>,
    devices: &Devices,
    connection: &Arc<Connection>,
) -> Result<()> {
    devices.disconnect(session, connection).await?;
    session.detach(connection.attachment).await
}

/// The right to read a volume. Ended, or dropped, it is given up.
pub(super) struct Lease {
    /// `None` once it is given up.
    attaching: Option<Arc<Attaching>>,
    volume: Uuid,
    slot: Arc<Slot>,
}

impl Lease {
    /// The volume.
    pub(super) async fn device(&self) -> Result<Arc<dyn Device>> {
        let readers = self.slot.0.lock().await;
        let device = readers.attached.as_ref().map(|attached| attached.device.clone());
        // It stays as long as it is counted.
        device.ok_or_else(|| Error::NotFound(format!("the volume {}", self.volume)))
    }

    /// Gives it up, and waits for that.
    pub(super) async fn end(mut self) {
        if let Some(attaching) = self.attaching.take() {
            let cleanups = attaching.cleanups.clone();
            cleanups.through(give_up(attaching, self.volume, self.slot.clone())).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(attaching) = self.attaching.take() {
            let cleanups = attaching.cleanups.clone();
            cleanups.later(give_up(attaching, self.volume, self.slot.clone()));
        }
    }
}

async fn give_up(attaching: Arc<Attaching>, volume: Uuid, slot: Arc<Slot>) {
    let mut readers = slot.0.lock().await;
    readers.count -= 1;
    if readers.count > 0 {
        return;
    }
    if let Err(error) = attaching.let_go(volume, &mut readers).await {
        tracing::warn!(%error, %volume, "a volume stays attached until it is read again");
    }
}
