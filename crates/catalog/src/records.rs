//! All of a catalog at once.

use crate::metadefs::Metadefs;
use crate::{Caches, Catalog, Imports, Leftovers, Tasks, Uploads};

/// Everything that a service asks of where records live.
pub trait Records: Catalog + Uploads + Leftovers + Tasks + Imports + Metadefs + Caches {}

impl<T: Catalog + Uploads + Leftovers + Tasks + Imports + Metadefs + Caches> Records for T {}

/// Serde for columns that may be set to null: formats without a `Some` of their own would take a
/// column that is set to null for one that is left alone.
pub(crate) mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    enum Change<T> {
        Keep,
        Set(Option<T>),
    }

    pub(crate) fn serialize<T, S>(change: &Option<Option<T>>, to: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize,
        S: Serializer,
    {
        match change {
            None => Change::Keep,
            Some(value) => Change::Set(value.as_ref()),
        }
        .serialize(to)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(match Change::deserialize(from)? {
            Change::Keep => None,
            Change::Set(value) => Some(value),
        })
    }
}
