//! Tags. A removed tag's row stays, marked deleted.

use super::dialect::{Connection, Transaction, query};
use std::collections::BTreeSet;

use image::{ImageId, Timestamp};

use super::{parts, records};
use crate::Result;

pub(super) async fn add(mut db: Transaction, id: ImageId, tag: &str) -> Result<()> {
    let now = Timestamp::now();
    records::touch(&mut db, id, now).await?;
    if !of(&mut db, id).await?.contains(tag) {
        insert(&mut db, id, [&tag.to_owned()], now).await?;
    }
    Ok(db.commit().await?)
}

pub(super) async fn remove(mut db: Transaction, id: ImageId, tag: &str) -> Result<bool> {
    let now = Timestamp::now();
    records::touch(&mut db, id, now).await?;
    if !mark_deleted(&mut db, id, tag, now).await? {
        return Ok(false);
    }
    db.commit().await?;
    Ok(true)
}

/// Makes these the image's tags; those that stay keep their rows.
pub(super) async fn replace(
    db: &mut Connection,
    id: ImageId,
    tags: &BTreeSet<String>,
    now: Timestamp,
) -> Result<()> {
    let before = of(db, id).await?;
    for tag in before.difference(tags) {
        mark_deleted(db, id, tag, now).await?;
    }
    insert(db, id, tags.difference(&before), now).await
}

/// Adds tags that the image does not have.
pub(super) async fn insert<'a>(
    db: &mut Connection,
    id: ImageId,
    tags: impl IntoIterator<Item = &'a String>,
    now: Timestamp,
) -> Result<()> {
    let rows = tags.into_iter().map(|tag| [tag.into()]);
    Ok(parts::insert(db, "image_tags", ["value"], id, rows, now).await?)
}

async fn of(db: &mut Connection, id: ImageId) -> Result<BTreeSet<String>> {
    let tags: Vec<String> =
        query("SELECT value FROM image_tags WHERE image_id = ? AND NOT deleted")
            .bind(id.to_string())
            .column(db)
            .await?;
    Ok(tags.into_iter().collect())
}

async fn mark_deleted(db: &mut Connection, id: ImageId, tag: &str, now: Timestamp) -> Result<bool> {
    let marked = query(
        "UPDATE image_tags SET deleted = TRUE, deleted_at = ?, updated_at = ? \
         WHERE image_id = ? AND value = ? AND {exactly value} = ? AND NOT deleted",
    )
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .bind(tag)
    .bind(tag)
    .execute(db)
    .await?;
    Ok(marked > 0)
}
