//! The store in Ceph: each image an RBD image that is named by its id, with a protected snapshot
//! `snap`, as the `rbd` driver of glance_store lays it out. Others clone that without a copy, as does
//! the store itself, where it takes over what another store has in the same cluster.

mod ceph;
mod connection;
mod location;
mod options;
mod read;
mod remove;
mod volume;
mod write;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use image::ImageId;
use serde_json::{Map, Value, json};

use crate::blocking::blocking;
use crate::remote::{Failed, retried};
use crate::{Abilities, Cleanups, Data, Error, Original, Result, Source, Store, Written};

use ceph::{CLONING, Failure, Image, Pool};
use connection::Connection;
use location::{Location, SCHEMES};
use remove::{Cloned, Kept};
use write::{Half, Layout, SNAPSHOT, WRITE};

pub(crate) use options::KIND;
pub(crate) use volume::{Elsewhere, Reached, Volume, Writer};

/// A pool of a Ceph cluster that holds image data.
pub struct RbdStore {
    connection: Arc<Connection>,
    pool: String,
    /// The size of objects as it was given, in MiB.
    chunk: u64,
    layout: Layout,
    /// Whether what other stores have in the same cluster is cloned.
    clones: bool,
    cloned: Cloned,
    cleanups: Cleanups,
}

impl RbdStore {
    /// What a location names, and the pool that it is in. The cluster is always the configured one,
    /// as in Glance: a record can't lead elsewhere.
    async fn find(&self, uri: &str) -> Result<(Location, Arc<Pool>)> {
        let location = Location::parse(uri).ok_or_else(|| Error::BadLocation(uri.to_owned()))?;
        let pool = location.pool.as_ref().map_or(self.pool.as_str(), |(_, pool)| pool);
        match self.connection.pool(pool).await {
            Ok(pool) => Ok((location, pool)),
            Err(Error::NotFound(_)) => Err(Error::NotFound(uri.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Opens what a location names, by one of the ways to open it.
    async fn open_image(&self, uri: &str, way: Way) -> Result<Image> {
        let (location, pool) = self.find(uri).await?;
        let opened = blocking(move || way(&pool, &location.image, location.snapshot.as_deref()));
        opened.await.map_err(|failure| self.connection.failed(uri, failure))
    }

    /// Removes an image. One that is open may be closed soon: by a reader that was given up.
    async fn remove(&self, uri: &str, pool: Arc<Pool>, location: &Location) -> Result<()> {
        retried(async || {
            let (pool, location, cloned) = (pool.clone(), location.clone(), self.cloned);
            let removed = blocking(move || {
                remove::remove(&pool, &location.image, location.snapshot.as_deref(), cloned)
            });
            removed.await.map_err(|kept| {
                let passes = matches!(kept, Kept::Open);
                let kept = self.kept(uri, kept);
                if passes { Failed::Passing(kept) } else { kept.into() }
            })
        })
        .await
    }

    /// The error for an image that stays.
    fn kept(&self, uri: &str, kept: Kept) -> Error {
        let in_use = |why: &str| Error::InUse { uri: uri.to_owned(), why: why.to_owned() };
        match kept {
            Kept::Open => in_use("it is being read or written"),
            Kept::Cloned => in_use("other images are clones of it"),
            Kept::Failed(failure) => self.connection.failed(uri, failure),
        }
    }

    /// What is to be cloned: its pool, its name, its snapshot. `None` where it is elsewhere, or the
    /// account may not see it.
    async fn original(&self, uri: &str) -> Result<Option<(Arc<Pool>, (String, String))>> {
        let Some(Location { pool: Some((cluster, pool)), image, snapshot: Some(snapshot) }) =
            Location::parse(uri)
        else {
            return Ok(None);
        };
        self.connection.cluster().await?;
        if self.connection.known_id() != Some(cluster) {
            return Ok(None);
        }
        match self.connection.pool(&pool).await {
            Ok(pool) => Ok(Some((pool, (image, snapshot)))),
            Err(Error::NotFound(_) | Error::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

type Way = fn(&Arc<Pool>, &str, Option<&str>) -> Result<Image, Failure>;

#[async_trait]
impl Store for RbdStore {
    fn kind(&self) -> &'static str {
        "rbd"
    }

    fn abilities(&self) -> Abilities {
        let object = 1 << self.layout.shape.order;
        let boundaries = vec![WRITE, object];
        Abilities { copies: self.clones, boundaries, ..Abilities::default() }
    }

    fn schemes(&self) -> &'static [&'static str] {
        SCHEMES
    }

    fn holds(&self, uri: &str) -> bool {
        let Some(location) = Location::parse(uri) else { return false };
        let Some((cluster, pool)) = location.pool else { return true };
        pool == self.pool && self.connection.known_id().is_none_or(|known| known == cluster)
    }

    /// Others, Nova among them, make images in the pool themselves, under the id that the image has
    /// here. What has another id is another's.
    async fn admit(&self, id: ImageId, uri: &str) -> Result<()> {
        let named = Location::parse(uri).is_some_and(|location| location.image == id.to_string());
        match named && self.holds(uri) {
            true => Ok(()),
            false => Err(Error::BadLocation(uri.to_owned())),
        }
    }

    fn properties(&self) -> Map<String, Value> {
        // What Glance tells of this kind, and in its words; the size of objects in bytes.
        Map::from_iter([
            ("chunk_size".to_owned(), json!(self.chunk << 20)),
            ("pool".to_owned(), json!(self.pool)),
            ("thin_provisioning".to_owned(), json!(self.layout.thin)),
            ("fsid".to_owned(), json!(self.connection.known_id())),
        ])
    }

    async fn probe(&self) -> Result<()> {
        let pool = self.connection.pool(&self.pool).await?;
        let probed = blocking(move || pool.probe()).await;
        probed.map_err(|failure| self.connection.failed(&self.pool, failure))
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written> {
        let pool = self.connection.own_pool(&self.pool).await?;
        let uri = self.location(id).await?.to_string();
        let half = Half::of(self.connection.clone(), pool, id.to_string());
        let fill = half.fill(&uri, self.layout, hint, source);
        let size = self.cleanups.guard(half.clone().undo(), fill).await?;
        Ok(Written { uri, size })
    }

    /// As a copy-on-write clone: until it is written to, which images never are, or its original is
    /// deleted, it takes no room of its own.
    async fn copy(&self, id: ImageId, from: Original<'_>) -> Result<Option<Written>> {
        let Some((parent, of)) = self.original(from.uri).await? else { return Ok(None) };
        let pool = self.connection.own_pool(&self.pool).await?;
        let uri = self.location(id).await?.to_string();
        let half = Half::of(self.connection.clone(), pool, id.to_string());
        let clone = async {
            match half.clone_of(parent, of, self.layout.shape).await {
                Ok(size) => Ok(Some(Written { uri: uri.clone(), size })),
                // Not there, not protected, or not to be read: moving its bytes works, or says more.
                Err(failure) if failure.is_of(CLONING) && failure.code() != libc::EEXIST => {
                    tracing::debug!(%failure, original = from.uri, "not cloned");
                    Ok(None)
                }
                Err(failure) => Err(self.connection.failed(&uri, failure)),
            }
        };
        self.cleanups.guard(half.clone().undo(), clone).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        let image = self.open_image(uri, Pool::open).await?;
        Ok(read::read(self.connection.clone(), uri.to_owned(), image, range))
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        let image = self.open_image(uri, Pool::open_unseen).await?;
        let size = blocking(move || {
            let size = image.size();
            image.close();
            size
        });
        size.await.map_err(|failure| self.connection.failed(uri, failure))
    }

    async fn expect_deletable(&self, uri: &str) -> Result<()> {
        let (location, pool) = self.find(uri).await?;
        let cloned = self.cloned;
        let look = blocking(move || {
            remove::expect_removable(&pool, &location.image, location.snapshot.as_deref(), cloned)
        });
        look.await.map_err(|kept| self.kept(uri, kept))
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        let (location, pool) = self.find(uri).await?;
        self.remove(uri, pool, &location).await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        let pool = self.connection.own_pool(&self.pool).await?;
        let location = self.location(id).await?;
        match self.remove(&location.to_string(), pool, &location).await {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn settled(&self) {
        self.cleanups.settled().await;
    }
}

impl RbdStore {
    /// Where an image is that is written now.
    async fn location(&self, id: ImageId) -> Result<Location> {
        let cluster = self.connection.cluster().await?;
        let cluster =
            cluster.id().map_err(|failure| self.connection.failed("the cluster", failure))?;
        Ok(Location {
            pool: Some((cluster, self.pool.clone())),
            image: id.to_string(),
            snapshot: Some(SNAPSHOT.to_owned()),
        })
    }
}
