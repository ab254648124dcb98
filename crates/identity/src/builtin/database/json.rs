//! JSON kept in text columns.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// As it is stored.
pub(crate) fn to_text<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|why| sqlx::Error::Encode(why.into()))
}

/// As it was.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|why| sqlx::Error::Decode(why.into()))
}
