//! What rows of several of the tables have in common.

use crate::sql::dialect::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::metadefs::{Fault, Times};

/// `created_at` and `updated_at`.
pub(super) fn times(row: &Row) -> Result<Times> {
    let corrupt = |error: sqlx::Error| Fault::Corrupt(format!("time: {error}"));
    Ok(Times {
        created_at: row.try_get("created_at").map_err(corrupt)?,
        updated_at: row.try_get("updated_at").map_err(corrupt)?,
    })
}

/// `json_schema`. Glance's loader writes `null` for what has no properties.
pub(super) fn json<T: Default + DeserializeOwned>(row: &Row) -> Result<T> {
    let text: &str = row.try_get("json_schema")?;
    let value: Option<T> = serde_json::from_str(text)
        .map_err(|error| Fault::Corrupt(format!("json_schema: {error}: {text}")))?;
    Ok(value.unwrap_or_default())
}

/// JSON as its column holds it.
pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps with texts for keys, and JSON in them, are JSON")
}
