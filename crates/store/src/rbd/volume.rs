//! Images of Ceph that another service keeps: Cinder's volumes. They are read and written where they
//! are, and neither made nor removed.

use std::ffi::CString;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::ceph::Access;
use super::connection::Connection;
use super::read::read;
use super::write::Writes;
use crate::blocking::blocking;
use crate::remote::Part;
use crate::{Data, Result};

/// How another service says that its cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The configuration file.
    pub(crate) conf: PathBuf,
    /// The account, without `client.`.
    pub(crate) user: Option<String>,
    /// Options of Ceph over those of the file, such as `mon_host`.
    pub(crate) settings: Vec<(CString, CString)>,
}

/// A cluster that another service uses. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Elsewhere(Arc<Connection>);

impl Elsewhere {
    /// It is connected to when it is first needed. `store` is who wants it, for errors.
    pub(crate) fn at(store: &str, reached: Reached) -> Self {
        let Reached { conf, user, settings } = reached;
        let access = Access { conf: Some(conf), user, settings, ..Access::default() };
        Self(Arc::new(Connection::of(store.to_owned(), access)))
    }

    /// An image that is there.
    pub(crate) fn volume(&self, pool: &str, image: &str) -> Volume {
        let (pool, image) = (pool.to_owned(), image.to_owned());
        Volume { connection: self.0.clone(), pool, image }
    }
}

/// An image that another service keeps. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Volume {
    connection: Arc<Connection>,
    pool: String,
    image: String,
}

impl Volume {
    fn shown(&self) -> String {
        format!("the RBD image {}/{}", self.pool, self.image)
    }

    /// The bytes of a range. Others don't see that it is open.
    pub(crate) async fn read(&self, range: Range<u64>) -> Result<Data> {
        let (pool, image) = (self.connection.pool(&self.pool).await?, self.image.clone());
        let opened = blocking(move || pool.open_unseen(&image, None)).await;
        let opened = opened.map_err(|failure| self.connection.failed(&self.shown(), failure))?;
        Ok(read(self.connection.clone(), self.shown(), opened, range))
    }

    /// Opens it to be written.
    pub(crate) async fn write(&self) -> Result<Writer> {
        let (pool, image) = (self.connection.pool(&self.pool).await?, self.image.clone());
        let opened = blocking(move || pool.open(&image, None)).await;
        let opened = opened.map_err(|failure| self.connection.failed(&self.shown(), failure))?;
        Ok(Writer { volume: self.clone(), writes: Writes::of(opened) })
    }
}

/// An image that is written.
pub(crate) struct Writer {
    volume: Volume,
    writes: Writes,
}

impl Writer {
    /// Begins to write a part, when there is room for it among those under way.
    pub(crate) async fn write(&mut self, offset: u64, part: Part) -> Result<()> {
        let begun = self.writes.begin(offset, part).await;
        begun.map_err(|failure| self.volume.connection.failed(&self.volume.shown(), failure))
    }

    /// Waits for all writes, and closes the image.
    pub(crate) async fn finish(self) -> Result<()> {
        let Self { volume, writes } = self;
        let finished = match writes.finish().await {
            Ok(image) => {
                let closed = image.closed();
                drop(image);
                closed.wait().await;
                Ok(())
            }
            Err(failure) => Err(failure),
        };
        finished.map_err(|failure| volume.connection.failed(&volume.shown(), failure))
    }
}
