//! Why something below the catalog failed.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a database, or the registry before it, failed. What travels is the text: it names no
/// passwords.
#[derive(Debug, Error)]
pub enum Cause {
    /// The database's own words.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// OpenSSL's.
    #[error(transparent)]
    Cipher(#[from] openssl::error::ErrorStack),
    /// The registry's, or what became of the way there.
    #[error("{0}")]
    Registry(String),
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Registry)
    }
}
