//! Volumes as this host uses them, by the way in which Cinder lets it reach them. To add a way: a file
//! with a type that implements [`Way`], and its line in [`Devices::new`].

mod iscsi;
mod local;
mod nfs;
mod rbd;
mod tool;
mod turns;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::attached::Multipath;
use super::attachment::{ConnectionInfo, Mode};
use super::session::Session;
use crate::blocking::joined;
use crate::remote::Part;
use crate::{Data, Result};

pub(super) use self::tool::Tools;

/// A way to reach volumes.
#[async_trait]
trait Way: Send + Sync {
    /// What Cinder calls it: the `driver_volume_type` of a connection.
    fn kind(&self) -> &'static str;

    /// Comes to use a volume. Errors: `Unavailable` where it can't be had, with what to do about it.
    /// What was done until then is undone by `disconnect`.
    async fn connect(
        &self,
        session: &Session,
        connection: &Connection,
        mode: Mode,
    ) -> Result<Arc<dyn Device>>;

    /// Lets go of whatever this host has of a connection: of one that is made, half made, or was made
    /// by a process that is no more. Nothing is there where it was never made.
    async fn disconnect(&self, session: &Session, connection: &Connection) -> Result<()>;
}

/// A volume that can be used.
#[async_trait]
pub(super) trait Device: Send + Sync {
    /// The bytes of a range.
    async fn read(&self, range: Range<u64>) -> Result<Data>;

    /// Opens it to be written, once it has room for that many bytes.
    async fn write(&self, room: u64) -> Result<Box<dyn Writer>>;
}

/// A volume that is written.
#[async_trait]
pub(super) trait Writer: Send {
    /// Begins to write a part, when there is room for it among those under way.
    async fn write(&mut self, offset: u64, part: Part) -> Result<()>;

    /// Waits until all is written, and durable.
    async fn finish(self: Box<Self>) -> Result<()>;
}

/// What an attachment says of how its volume is reached.
pub(super) struct Connection {
    pub(super) attachment: Uuid,
    to: ConnectionInfo,
    /// Whoever makes it or lets go of it has its turn.
    turn: Arc<Mutex<()>>,
}

impl Connection {
    pub(super) fn new(attachment: Uuid, to: ConnectionInfo) -> Arc<Self> {
        Arc::new(Self { attachment, to, turn: Arc::default() })
    }
}

/// Everything that volumes are reached by.
pub(super) struct Devices {
    ways: Vec<Arc<dyn Way>>,
}

impl Devices {
    /// `ceph_conf` is the operator's configuration of Ceph; below `mounts` NFS is mounted.
    pub(super) fn new(
        ceph_conf: Option<PathBuf>,
        mounts: PathBuf,
        multipath: Multipath,
        tools: &Tools,
    ) -> Self {
        Self {
            ways: vec![
                Arc::new(rbd::Clusters::new(ceph_conf)),
                Arc::new(nfs::Shares::new(mounts, tools.clone())),
                Arc::new(iscsi::Targets::new(multipath, tools.clone())),
            ],
        }
    }

    /// Comes to use a volume. What has begun comes to its end, also where nobody waits for it any more:
    /// `disconnect` does. Errors: `Unavailable` for a way that this host can't go.
    pub(super) async fn connect(
        &self,
        session: &Arc<Session>,
        connection: &Arc<Connection>,
        mode: Mode,
    ) -> Result<Arc<dyn Device>> {
        let ConnectionInfo { kind, data } = &connection.to;
        if data.get("encrypted") == Some(&Value::Bool(true)) {
            let why = "the volume is encrypted: images need a volume type that is not";
            return Err(session.failing(why));
        }
        let way = self.way(kind).ok_or_else(|| {
            let known: Vec<_> = self.ways.iter().map(|way| way.kind()).collect();
            let known = known.join(", ");
            session.failing(format!(
                "the volume is reached by '{kind}': volumes by {known} are used, and no others"
            ))
        })?;
        let turn = connection.turn.clone().lock_owned().await;
        let (session, connection) = (session.clone(), connection.clone());
        let connecting = tokio::spawn(async move {
            let connected = way.connect(&session, &connection, mode).await;
            drop(turn);
            connected
        });
        joined(connecting.await)
    }

    /// Lets go of a volume as far as this host has it, by whatever process; of others nothing is to be
    /// let go. What has begun comes to its end.
    pub(super) async fn disconnect(
        &self,
        session: &Arc<Session>,
        connection: &Arc<Connection>,
    ) -> Result<()> {
        let Some(way) = self.way(&connection.to.kind) else { return Ok(()) };
        let turn = connection.turn.clone().lock_owned().await;
        let (session, connection) = (session.clone(), connection.clone());
        let disconnecting = tokio::spawn(async move {
            let disconnected = way.disconnect(&session, &connection).await;
            drop(turn);
            disconnected
        });
        joined(disconnecting.await)
    }

    fn way(&self, kind: &str) -> Option<Arc<dyn Way>> {
        self.ways.iter().find(|way| way.kind() == kind).cloned()
    }
}
