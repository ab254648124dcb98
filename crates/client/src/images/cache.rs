//! The image cache of the node that answers.

use std::fmt;

use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

use super::{Images, no_image, read};
use crate::session::Repeat;
use crate::{Result, keystone};

/// An image in the cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedImage {
    /// The image.
    pub image_id: String,
    /// Bytes.
    pub size: u64,
    /// Downloads that were served from the cache.
    pub hits: u64,
    /// When it was last read, in seconds since 1970.
    pub last_accessed: f64,
    /// When it came into the cache, in seconds since 1970.
    pub last_modified: f64,
}

/// What is in the cache, and what is to come into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheState {
    /// Whole images.
    pub cached_images: Vec<CachedImage>,
    /// Ids of the images that wait to be fetched, first come first.
    pub queued_images: Vec<String>,
}

/// What pruning removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Images.
    pub total_files_pruned: u64,
    /// Bytes.
    pub total_bytes_pruned: u64,
}

/// A half of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTarget {
    /// The whole images.
    Cache,
    /// Those that wait.
    Queue,
}

impl fmt::Display for CacheTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cache => "cache",
            Self::Queue => "queue",
        })
    }
}

impl Images {
    /// What is in the cache, and what is to come into it.
    pub async fn cache_state(&self) -> Result<CacheState> {
        let get = |client: &Client, root: &Url| client.get(cache_url(root, &[]));
        read(self.session.ask(Repeat::Freely, get).await?).await
    }

    /// Has the service fetch an image into its cache.
    pub async fn cache_queue(&self, id: &str) -> Result<()> {
        let put = |client: &Client, root: &Url| client.put(cache_url(root, &[id]));
        let done = self.session.ask(Repeat::Freely, put).await;
        done.map(drop).map_err(|error| no_image(error, id))
    }

    /// Removes an image from the cache and its queue.
    pub async fn cache_delete(&self, id: &str) -> Result<()> {
        let delete = |client: &Client, root: &Url| client.delete(cache_url(root, &[id]));
        let done = self.session.ask(Repeat::Freely, delete).await;
        done.map(drop).map_err(|error| no_image(error, id))
    }

    /// Empties a half of the cache, or both.
    pub async fn cache_clear(&self, target: Option<CacheTarget>) -> Result<()> {
        let target = target.map(|target| target.to_string()).unwrap_or_default();
        let delete = |client: &Client, root: &Url| {
            client.delete(cache_url(root, &[])).header("x-image-cache-clear-target", &target)
        };
        self.session.ask(Repeat::Freely, delete).await.map(drop)
    }

    /// Removes images, least recently read first, until the cache is within its limit.
    pub async fn cache_prune(&self) -> Result<Pruned> {
        let post = |client: &Client, root: &Url| client.post(cache_url(root, &["prune"]));
        read(self.session.ask(Repeat::Freely, post).await?).await
    }

    /// Removes invalid and stalled files.
    pub async fn cache_clean(&self) -> Result<()> {
        let post = |client: &Client, root: &Url| client.post(cache_url(root, &["clean"]));
        self.session.ask(Repeat::Freely, post).await.map(drop)
    }
}

/// `…/v2/cache/{path}`, each part encoded as one segment.
fn cache_url(root: &Url, path: &[&str]) -> Url {
    let mut url = keystone::below(root, "v2/cache");
    // An http address always has segments.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path.iter().map(|part| super::inert(part)));
    }
    url
}
