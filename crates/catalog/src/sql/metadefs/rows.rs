//! What rows of several of the tables have in common.

use image::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::Result;
use crate::metadefs::{Fault, Times};
use crate::sql::time;

/// The instant of a text that a column holds.
fn instant(text: &str) -> Result<Timestamp> {
    Ok(time::from_text(text).ok_or_else(|| Fault::Corrupt(format!("time: '{text}'")))?)
}

/// `created_at` and `updated_at`.
pub(super) fn times(row: &SqliteRow) -> Result<Times> {
    let updated: Option<&str> = row.try_get("updated_at")?;
    Ok(Times {
        created_at: instant(row.try_get("created_at")?)?,
        updated_at: updated.map(instant).transpose()?,
    })
}

/// `json_schema`. Glance's loader writes `null` for what has no properties.
pub(super) fn json<T: Default + DeserializeOwned>(row: &SqliteRow) -> Result<T> {
    let text: &str = row.try_get("json_schema")?;
    let value: Option<T> = serde_json::from_str(text)
        .map_err(|error| Fault::Corrupt(format!("json_schema: {error}: {text}")))?;
    Ok(value.unwrap_or_default())
}

/// JSON as its column holds it.
pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps with texts for keys, and JSON in them, are JSON")
}

/// The text of an instant, where there is one.
pub(super) fn text(instant: Option<Timestamp>) -> Option<String> {
    instant.map(time::to_text)
}
