//! What every store promises.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use client::Secret;
use futures::stream::BoxStream;
use image::{ImageId, without_credentials};
use serde_json::{Map, Value};

use crate::{Error, Result, SourceError};

/// Bytes on their way into a store.
pub type Source = BoxStream<'static, Result<Bytes, SourceError>>;

/// Bytes on their way out of a store, in pieces of at most [`PIECE`] bytes.
pub type Data = BoxStream<'static, Result<Bytes>>;

/// The size of the pieces that stores read and write, in bytes: large enough that the cost of a
/// system call and of a hand-over between threads vanishes, small enough that a few in flight for
/// each of many transfers stay a small part of memory.
pub const PIECE: usize = 512 * 1024;

/// What a store can do besides being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// It takes new bytes, and removes them.
    pub writable: bool,
    /// It takes over bytes of other stores of its kind without moving them
    /// ([`copy`](Store::copy)).
    pub copies: bool,
    /// It takes new bytes for a caller alone, in whose account they are then
    /// ([`on_behalf`](Store::on_behalf)).
    pub needs_caller: bool,
    /// Its servers decide by themselves who may read an image, so they are told
    /// ([`share`](Store::share)).
    pub shares: bool,
    /// Lengths, in bytes, at which what it writes changes its shape: a piece more, a part, a
    /// segment. Tests look closely there.
    pub boundaries: Vec<u64>,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            writable: true,
            copies: false,
            needs_caller: false,
            shares: false,
            boundaries: vec![PIECE as u64],
        }
    }
}

/// Whom a store acts for, where it keeps bytes in the caller's own account.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Their token.
    pub token: Secret,
    /// The project that they act in.
    pub project: String,
}

/// Who may read the bytes of an image, besides those whose account they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Everybody who has a token.
    Everybody,
    /// The users of these projects.
    Projects(Vec<String>),
}

/// Bytes that are stored durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where: a location URI.
    pub uri: String,
    /// How many bytes.
    pub size: u64,
}

/// Where whoever knows it reads bytes for a while, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Direct {
    /// A URL that answers `GET`, also of ranges. It opens the bytes to everybody, so it is a secret.
    pub url: Secret,
    /// How many bytes are there.
    pub size: u64,
}

/// What a store may take over: a location of another store.
#[derive(Clone, Copy)]
pub struct Original<'a> {
    /// The store that holds it.
    pub store: &'a dyn Store,
    /// The location's URI.
    pub uri: &'a str,
}

/// A place that holds image data.
///
/// A store is made of its options alone: what it needs of a server (connections, sessions, tokens)
/// it gets when it is first used, and again when it has lost it. So a service starts while a store
/// is away. Texts of errors, `Debug` included, never show credentials.
#[async_trait]
pub trait Store: Send + Sync {
    /// The kind, as in Glance's `enabled_backends`: `file`, `rbd`, `s3` …
    fn kind(&self) -> &'static str;

    /// What it can do.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// The schemes of its location URIs, in lower case.
    fn schemes(&self) -> &'static [&'static str];

    /// Whether a location URI is one of this very store, judged by its beginning.
    fn holds(&self, uri: &str) -> bool;

    /// Looks at a location that a user names for an image, before anything is asked for there. A
    /// store whose URIs would reach what is the host's own, or another image's, does not admit
    /// them. Errors: `BadLocation`, `Remote`.
    async fn admit(&self, _id: ImageId, uri: &str) -> Result<()> {
        Err(Error::BadLocation(without_credentials(uri)))
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

    /// The same store, acting for a caller; `None` where it acts for the service alone.
    fn on_behalf(&self, _of: &Principal) -> Option<Arc<dyn Store>> {
        None
    }

    /// Looks whether the store can be used, without writing: that its server answers and takes the
    /// credentials. Errors: `Forbidden`, `Unavailable`, `NotFound` for a pool or the like.
    async fn probe(&self) -> Result<()> {
        Ok(())
    }

    /// Stores all of `source` under `id`. `hint` is the expected length when it is known; the
    /// source decides. When this returns, the bytes survive a loss of power; on any error, nothing
    /// of them stays. Nor does when the future is dropped: what can't be removed on the spot is
    /// removed by a task that [`settled`](Self::settled) waits for. What is there already is never
    /// overwritten. Errors: `Exists`, `Full`, `Denied`, `Forbidden`, `Unavailable`, `Source`, `Io`.
    async fn put(&self, id: ImageId, hint: Option<u64>, source: Source) -> Result<Written>;

    /// Stores under `id` what another store of this kind has, without moving its bytes through
    /// this process: as a clone, or by what the server or the kernel copies. `None` where that
    /// can't be, and nothing has changed. Promises and errors: as of [`put`](Self::put) and, for
    /// the original, of [`open`](Self::open).
    async fn copy(&self, _id: ImageId, _from: Original<'_>) -> Result<Option<Written>> {
        Ok(None)
    }

    /// The file of this host that a location is, where it is one. Errors: as of
    /// [`open`](Self::open).
    async fn file(&self, _uri: &str) -> Result<Option<File>> {
        Ok(None)
    }

    /// The bytes of `range` at a location. A reader that is open when the location is deleted gets
    /// its bytes or an error, never others or fewer; where a store can, it keeps them or refuses
    /// the deletion. Errors: `NotFound`, `BadLocation`, `Forbidden`, `Unavailable`, `Io`.
    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data>;

    /// Where a client reads the bytes at a location by itself for a while; `None` where the store
    /// hands no such URL out. What is given has been tried: it opens these bytes now. Errors: as of
    /// [`open`](Self::open); `Forbidden` also where the server refuses the URL.
    async fn direct(&self, _uri: &str) -> Result<Option<Direct>> {
        Ok(None)
    }

    /// How many bytes are at a location. Errors: as of [`open`](Self::open).
    async fn size(&self, uri: &str) -> Result<u64>;

    /// Looks whether the bytes at a location could be removed now, and changes nothing. Errors:
    /// `InUse`, and as of [`open`](Self::open); none where the store doesn't know before.
    async fn expect_deletable(&self, _uri: &str) -> Result<()> {
        Ok(())
    }

    /// Removes the bytes at a location. Errors: as of [`open`](Self::open); `InUse`.
    async fn delete(&self, uri: &str) -> Result<()>;

    /// Says who may read the bytes at a location, besides those whose account they are in. Errors:
    /// as of [`open`](Self::open).
    async fn share(&self, _uri: &str, _readers: &Readers) -> Result<()> {
        Ok(())
    }

    /// Removes whatever an interrupted [`put`](Self::put) of this image left; says whether there
    /// was anything.
    async fn discard(&self, id: ImageId) -> Result<bool>;

    /// Waits until nothing is being removed any more of puts that were dropped.
    async fn settled(&self) {}

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
