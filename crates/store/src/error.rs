//! What can go wrong with bytes.

use std::error::Error as StdError;
use std::io;

use rustix::io::Errno;
use thiserror::Error;

/// What goes wrong on the side that the bytes come from.
pub type SourceError = Box<dyn StdError + Send + Sync>;

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
    /// The store's server does not take the service's credentials, or gives them too few rights.
    /// The text shows no credentials.
    #[error("the store '{store}' refuses the service: {why}")]
    Forbidden {
        /// The store.
        store: String,
        /// What it refuses.
        why: String,
    },
    /// The store's server can't be reached, breaks off, or does not answer as it should. The text
    /// shows no credentials.
    #[error("the store '{store}' is unavailable: {why}")]
    Unavailable {
        /// The store.
        store: String,
        /// The reason.
        why: String,
    },
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

impl Error {
    /// What an error of the system means that a store's medium has told.
    pub(crate) fn of_medium(store: String, cause: io::Error) -> Self {
        match cause.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Self::Full(store),
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Self::Denied { store, cause },
            _ => Self::Io { store, cause },
        }
    }
}

/// The result of a store's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;
