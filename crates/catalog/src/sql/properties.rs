//! Custom properties. A removed property's row stays, marked deleted.

use super::dialect::{Connection, query};
use std::collections::BTreeMap;

use image::{ImageId, Timestamp};

use super::parts;
use crate::Result;

/// Sets those with a value, removes the others.
pub(super) async fn change(
    db: &mut Connection,
    id: ImageId,
    changes: &BTreeMap<String, Option<String>>,
    now: Timestamp,
) -> Result<()> {
    for (name, value) in changes {
        match value {
            Some(value) => set(db, id, name, value, now).await?,
            None => remove(db, id, name, now).await?,
        }
    }
    Ok(())
}

/// One that was removed is revived: the name is unique within the image, removed or not.
async fn set(
    db: &mut Connection,
    id: ImageId,
    name: &String,
    value: &String,
    now: Timestamp,
) -> Result<()> {
    let known = query(
        "UPDATE image_properties SET value = ?, updated_at = ?, deleted_at = NULL, \
         deleted = FALSE WHERE image_id = ? AND name = ?",
    )
    .bind(value)
    .bind(now)
    .bind(id.to_string())
    .bind(name)
    .execute(&mut *db)
    .await?;
    if known == 0 {
        insert(db, id, [(name, value)], now).await?;
    }
    Ok(())
}

/// Adds properties that the image never had.
pub(super) async fn insert<'a>(
    db: &mut Connection,
    id: ImageId,
    properties: impl IntoIterator<Item = (&'a String, &'a String)>,
    now: Timestamp,
) -> Result<()> {
    let rows = properties.into_iter().map(|(name, value)| [name.into(), value.into()]);
    Ok(parts::insert(db, "image_properties", ["name", "value"], id, rows, now).await?)
}

async fn remove(db: &mut Connection, id: ImageId, name: &str, now: Timestamp) -> Result<()> {
    query(
        "UPDATE image_properties SET deleted = TRUE, deleted_at = ?, updated_at = ? \
         WHERE image_id = ? AND name = ? AND NOT deleted",
    )
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .bind(name)
    .execute(db)
    .await?;
    Ok(())
}
