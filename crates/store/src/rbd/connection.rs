//! The store's connection: made when it is first needed, and anew when the cluster has shut it out, or
//! was away.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use super::ceph::{Access, CONNECTING, Cluster, Failure, Pool};
use crate::blocking::blocking;
use crate::{Error, Result};

/// A connection that is being made, or was.
type Connecting = Shared<BoxFuture<'static, Result<Arc<Cluster>, Failure>>>;

/// How the store reaches its cluster.
pub(super) struct Connection {
    store: String,
    access: Access,
    cluster: Mutex<Option<Connecting>>,
    /// What the configuration file says the cluster's id is, once it was read.
    configured: OnceLock<Option<String>>,
}

impl Connection {
    /// It is made when it is first needed.
    pub(super) fn of(store: String, access: Access) -> Self {
        Self { store, access, cluster: Mutex::default(), configured: OnceLock::new() }
    }

    /// The cluster. Who asks while a connection is being made shares in what comes of it. Errors:
    /// `Forbidden`, `Unavailable`.
    pub(super) async fn cluster(&self) -> Result<Arc<Cluster>> {
        let connecting = self.connecting();
        connecting.await.map_err(|failure| self.unconnected(failure))
    }

    /// What is being made, or was; anew, where it has failed.
    fn connecting(&self) -> Connecting {
        let mut cluster = self.lock();
        let kept = cluster.take().filter(|made| !matches!(made.peek(), Some(Err(_))));
        let connecting = kept.unwrap_or_else(|| {
            let access = self.access.clone();
            blocking(move || Cluster::connect(&access)).boxed().shared()
        });
        cluster.insert(connecting).clone()
    }

    /// A pool. Errors: as of [`cluster`](Self::cluster); `NotFound` names it.
    pub(super) async fn pool(&self, pool: &str) -> Result<Arc<Pool>> {
        let cluster = self.cluster().await?;
        let name = pool.to_owned();
        let opened = blocking(move || cluster.pool(&name)).await;
        opened.map_err(|failure| self.failed(&format!("the pool '{pool}'"), failure))
    }

    /// The pool that new images go to. Errors: as of [`cluster`](Self::cluster).
    pub(super) async fn own_pool(&self, pool: &str) -> Result<Arc<Pool>> {
        match self.pool(pool).await {
            Err(Error::NotFound(_)) => {
                Err(self.unavailable(format!("there is no pool '{pool}' (rbd_store_pool)")))
            }
            opened => opened,
        }
    }

    /// The cluster's id, as far as it is known without asking: what a connection has told, else what
    /// the configuration file says.
    pub(super) fn known_id(&self) -> Option<String> {
        if let Some(Ok(cluster)) = self.lock().as_ref().and_then(Shared::peek) {
            return cluster.id().ok();
        }
        let read = || Cluster::configured_id(&self.access).ok().flatten();
        self.configured.get_or_init(read).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connecting>> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error for a cluster that does not do as it should.
    pub(super) fn unavailable(&self, why: String) -> Error {
        Error::Unavailable { store: self.store.clone(), why }
    }

    /// The error for a connection that can't be made.
    fn unconnected(&self, failure: Failure) -> Error {
        let store = self.store.clone();
        match failure.code() {
            // Without a keyring there is nothing to show.
            libc::ENOENT if failure.is_of(CONNECTING) => {
                let user = self.access.user.as_deref().unwrap_or("admin");
                let why = format!("there is no keyring for client.{user}, or it lacks the account");
                Error::Forbidden { store, why }
            }
            libc::EACCES | libc::EPERM => Error::Forbidden { store, why: failure.to_string() },
            _ => {
                let conf = self.access.conf.as_ref();
                let conf = conf.map(|path| format!(" ({})", path.display())).unwrap_or_default();
                self.unavailable(format!("{failure}{conf}"))
            }
        }
    }

    /// The error for something that failed at a place.
    pub(super) fn failed(&self, place: &str, failure: Failure) -> Error {
        let store = self.store.clone();
        match failure.code() {
            libc::ENOENT => Error::NotFound(place.to_owned()),
            libc::EEXIST => Error::Exists(place.to_owned()),
            libc::ENOSPC | libc::EDQUOT => Error::Full(store),
            libc::EBUSY => Error::InUse { uri: place.to_owned(), why: failure.to_string() },
            libc::EACCES | libc::EPERM | libc::EROFS => {
                Error::Forbidden { store, why: failure.to_string() }
            }
            libc::ESHUTDOWN | libc::ENOTCONN | libc::ETIMEDOUT => {
                // The cluster takes nothing any more from this client; or it is away, and when it is
                // back, the client may not find out (seen with a monitor that was killed). The next
                // one is another.
                *self.lock() = None;
                self.unavailable(failure.to_string())
            }
            _ => self.unavailable(failure.to_string()),
        }
    }
}
