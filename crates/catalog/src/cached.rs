//! Which images a node keeps in its cache.

use std::sync::Arc;

use async_trait::async_trait;
use image::{ImageId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Result;

/// An image in a node's cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedImage {
    /// The number of its row, where it has one.
    pub row: Option<i64>,
    /// The image.
    pub image_id: ImageId,
    /// Bytes.
    pub size: u64,
    /// Downloads that were served from the cache.
    pub hits: u64,
    /// When it was last read.
    pub last_accessed: Timestamp,
    /// When it came into the cache.
    pub last_modified: Timestamp,
    /// MD5 of the bytes, when known.
    pub checksum: Option<String>,
}

/// The records of one node's cache. They describe its files; where both differ, the files are
/// right.
#[async_trait]
pub trait CachedImages: Send + Sync {
    /// Everything that is recorded for this node.
    async fn all(&self) -> Result<Vec<CachedImage>>;

    /// Records an image, or replaces its record; returns the number of its row, where records have
    /// such.
    async fn put(&self, image: &CachedImage) -> Result<Option<i64>>;

    /// Forgets an image; one that is not recorded is no error.
    async fn remove(&self, id: ImageId) -> Result<()>;

    /// The URLs of all nodes that keep an image; `None` where a node knows of itself only.
    async fn nodes(&self, id: ImageId) -> Result<Option<Vec<String>>>;
}

/// The records of the caches of all nodes.
#[async_trait]
pub trait Caches: Send + Sync {
    /// The number of the node that others reach at `url`, which is made known where it is not.
    async fn node(&self, url: &str) -> Result<i64>;

    /// Everything that is recorded for a node.
    async fn cached(&self, node: i64) -> Result<Vec<CachedImage>>;

    /// Records an image in a node's cache, or replaces its record; returns the number of its row.
    async fn put_cached(&self, node: i64, image: &CachedImage) -> Result<Option<i64>>;

    /// Forgets an image in a node's cache; one that is not recorded is no error.
    async fn remove_cached(&self, node: i64, id: ImageId) -> Result<()>;

    /// The URLs of all nodes that keep an image.
    async fn nodes_with(&self, id: ImageId) -> Result<Vec<String>>;
}

/// The records of one node among those of all.
pub struct NodeRecords {
    caches: Arc<dyn Caches>,
    node: i64,
}

impl NodeRecords {
    /// Opens the records of the node that others reach at `url` (`worker_self_reference_url`), and
    /// makes the node known.
    pub async fn open(caches: Arc<dyn Caches>, url: &str) -> Result<Self> {
        let node = caches.node(url).await?;
        Ok(Self { caches, node })
    }
}

#[async_trait]
impl CachedImages for NodeRecords {
    async fn all(&self) -> Result<Vec<CachedImage>> {
        self.caches.cached(self.node).await
    }

    async fn put(&self, image: &CachedImage) -> Result<Option<i64>> {
        self.caches.put_cached(self.node, image).await
    }

    async fn remove(&self, id: ImageId) -> Result<()> {
        self.caches.remove_cached(self.node, id).await
    }

    async fn nodes(&self, id: ImageId) -> Result<Option<Vec<String>>> {
        self.caches.nodes_with(id).await.map(Some)
    }
}
