//! Which images a node keeps in its cache.

use async_trait::async_trait;
use image::{ImageId, Timestamp};

use crate::Result;

/// An image in a node's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
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
