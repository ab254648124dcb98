//! Locations. A removed location's row stays, marked deleted.

use image::{ImageId, Location};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::Result;

/// A location of a row, with the store that its metadata names.
pub(super) fn read(uri: String, metadata: Option<&str>) -> Location {
    let metadata = metadata.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let store = metadata.and_then(|metadata| Some(metadata.get("store")?.as_str()?.to_owned()));
    Location { uri, store }
}

/// All that may hold bytes of the image, also where a deletion is to follow later.
pub(super) async fn all(db: &mut SqliteConnection, id: ImageId) -> Result<Vec<Location>> {
    let found: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT value, meta_data FROM image_locations \
         WHERE image_id = ? AND (NOT deleted OR status = 'pending_delete') ORDER BY id",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().map(|(uri, metadata)| read(uri, metadata.as_deref())).collect())
}

pub(super) async fn insert(
    db: &mut SqliteConnection,
    id: ImageId,
    location: &Location,
    now: &str,
) -> Result<()> {
    let metadata = match &location.store {
        Some(store) => json!({ "store": store }),
        None => json!({}),
    };
    sqlx::query(
        "INSERT INTO image_locations (image_id, value, meta_data, status, created_at, updated_at, \
         deleted) VALUES (?, ?, ?, 'active', ?, ?, FALSE)",
    )
    .bind(id.to_string())
    .bind(&location.uri)
    .bind(metadata.to_string())
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}
