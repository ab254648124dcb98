//! Where bytes live: the [`Store`] of image data, one file or folder each, and [`Stores`], the
//! ones that are enabled.
//!
//! Location URIs are Glance's own (`glance_store`), so that what Glance wrote is served from here
//! and what is written here is readable by Glance.

mod file;
mod http;
mod kind;
mod set;
mod settings;

use std::error::Error as StdError;
use std::io;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use image::ImageId;
use serde_json::{Map, Value};
use thiserror::Error;

pub use file::FileStore;
pub use http::HttpStore;
pub use set::{Enabled, Reserved, Stores, UnknownStore};
pub use settings::SettingsError;

/// What goes wrong on the side that the bytes come from.
pub type SourceError = Box<dyn StdError + Send + Sync>;

/// Bytes on their way into a store.
pub type Source = BoxStream<'static, Result<Bytes, SourceError>>;

/// Bytes on their way out of a store, in pieces of at most [`PIECE`] bytes.
pub type Data = BoxStream<'static, Result<Bytes>>;

/// The size of the pieces that stores read and write, in bytes: large enough that the cost of a
/// system call and of a hand-over between threads vanishes, small enough that a few in flight for
/// each of many transfers stay a small part of memory.
pub const PIECE: usize = 512 * 1024;

/// What can go wrong with bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not where the record says.
    #[error("no image data at {0}")]
    NotFound(String),
    /// Bytes are there already, and are not overwritten.
    #[error("image data exists already at {0}")]
    Exists(String),
    /// No room is left.
    #[error("the store '{0}' is full")]
    Full(String),
    /// The store may not be written.
    #[error("the store '{store}' can't be written: {cause}")]
    Denied {
        /// The store.
        store: String,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// The store is only read.
    #[error("the store '{0}' is only read")]
    ReadOnly(String),
    /// The bytes at a location are in use, and stay.
    #[error("the image data at {uri} is in use: {why}")]
    InUse {
        /// Where.
        uri: String,
        /// By what.
        why: String,
    },
    /// The place that a location names can't be reached, or does not answer as it should. The text
    /// says why, and shows no credentials.
    #[error("no image data can be had: {0}")]
    Remote(String),
    /// A location that is not of this store, or may not be named.
    #[error("it is not a location of this store: {0}")]
    BadLocation(String),
    /// The side that the bytes come from failed; nothing was stored.
    #[error("the data ended early: {0}")]
    Source(#[source] SourceError),
    /// The store's medium failed.
    #[error("the store '{store}' failed: {cause}")]
    Io {
        /// The store.
        store: String,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
}

/// The result of a store's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Bytes that are stored durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where: a location URI.
    pub uri: String,
    /// How many bytes.
    pub size: u64,
}

/// What a store can do besides being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// It takes new bytes, and removes them.
    pub writable: bool,
}

/// A place that holds image data.
#[async_trait]
pub trait Store: Send + Sync {
    /// The kind, as in Glance's `enabled_backends`: `file`, `rbd`, `s3` …
    fn kind(&self) -> &'static str;

    /// What it can do.
    fn abilities(&self) -> Abilities {
        Abilities { writable: true }
    }

    /// The schemes of its location URIs, in lower case.
    fn schemes(&self) -> &'static [&'static str];

    /// Whether a location URI is one of this very store, judged by its beginning.
    fn holds(&self, uri: &str) -> bool;

    /// Looks at a location that a user names, before anything is asked for there. A store whose
    /// URIs would reach what is the host's own admits none. Errors: `BadLocation`, `Remote`.
    async fn admit(&self, uri: &str) -> Result<()> {
        Err(Error::BadLocation(uri.to_owned()))
    }

    /// What administrators are told of it, as Glance's `/v2/info/stores/detail` names it.
    fn properties(&self) -> Map<String, Value> {
        Map::new()
    }

    /// What a location of this store says besides its store, for those who read the bytes
    /// themselves.
    fn metadata(&self, _uri: &str) -> Map<String, Value> {
        Map::new()
    }

    /// Stores all of `source` under `id`. `hint` is the expected length when it is known. When
    /// this returns, the bytes survive a loss of power; on any error, and when the future is
    /// dropped, nothing of them stays. Errors: `Exists`, `Full`, `Denied`, `Source`, `Io`.
    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written>;

    /// The bytes of `range` at a location. A reader that is open keeps its bytes when the location
    /// is deleted. Errors: `NotFound`, `BadLocation`, `Io`.
    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data>;

    /// How many bytes are at a location. Errors: `NotFound`, `BadLocation`, `Io`.
    async fn size(&self, uri: &str) -> Result<u64>;

    /// Removes the bytes at a location. Errors: `NotFound`, `BadLocation`, `Io`.
    async fn delete(&self, uri: &str) -> Result<()>;

    /// Removes whatever an interrupted [`put`](Self::put) of this image left; says whether there
    /// was anything.
    async fn discard(&self, id: ImageId) -> Result<bool>;

    /// The images whose bytes are here, for the sweep after a crash. Stores that can't list them
    /// cheaply return none.
    async fn stored(&self) -> Result<Vec<ImageId>> {
        Ok(Vec::new())
    }

    /// Removes temporary files that no running process owns; says how many.
    async fn sweep(&self) -> Result<usize> {
        Ok(0)
    }
}
