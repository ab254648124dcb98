//! Custom properties. A removed property's row stays, marked deleted.

use super::dialect::{Connection, query};
use std::collections::BTreeMap;

use image::{ImageId, Timestamp};

use super::parts;
use crate::{Error, Result};

/// Sets those with a value, removes the others. Errors: `SimilarProperties`.
pub(super) async fn change(
    db: &mut Connection,
    id: ImageId,
    changes: &BTreeMap<String, Option<String>>,
    now: Timestamp,
) -> Result<()> {
    // What is removed is in nobody's way any more.
    for (name, _) in changes.iter().filter(|(_, value)| value.is_none()) {
        remove(db, id, name, now).await?;
    }
    for (name, value) in changes.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        set(db, id, name, value, now).await?;
    }
    Ok(())
}

/// One that was removed is revived: the name is unique within the image, removed or not. To MySQL that
/// is also one whose name only looks similar, which gets this name.
async fn set(
    db: &mut Connection,
    id: ImageId,
    name: &String,
    value: &String,
    now: Timestamp,
) -> Result<()> {
    let known = query(
        "UPDATE image_properties SET name = ?, value = ?, updated_at = ?, deleted_at = NULL, \
         deleted = FALSE WHERE image_id = ? AND name = ? AND (deleted OR {exactly name} = ?)",
    )
    .bind(name)
    .bind(value)
    .bind(now)
    .bind(id.to_string())
    .bind(name)
    .bind(name)
    .execute(&mut *db)
    .await?;
    if known == 0 {
        insert(db, id, [(name, value)], now).await?;
    }
    Ok(())
}

/// Adds properties that the image never had. Errors: `SimilarProperties` where the database takes two
/// names for the same.
pub(super) async fn insert<'a>(
    db: &mut Connection,
    id: ImageId,
    properties: impl IntoIterator<Item = (&'a String, &'a String)>,
    now: Timestamp,
) -> Result<()> {
    let rows = properties.into_iter().map(|(name, value)| [name.into(), value.into()]);
    let inserted = parts::insert(db, "image_properties", ["name", "value"], id, rows, now).await;
    inserted.map_err(|error| match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => Error::SimilarProperties(id),
        _ => error.into(),
    })
}

async fn remove(db: &mut Connection, id: ImageId, name: &str, now: Timestamp) -> Result<()> {
    query(
        "UPDATE image_properties SET deleted = TRUE, deleted_at = ?, updated_at = ? \
         WHERE image_id = ? AND name = ? AND {exactly name} = ? AND NOT deleted",
    )
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .bind(name)
    .bind(name)
    .execute(db)
    .await?;
    Ok(())
}
