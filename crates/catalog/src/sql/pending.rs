//! Deletions that were put off: which are due, and which are being carried out.
//!
//! Glance's schema has no state between `pending_delete` and `deleted`, so the locations say that
//! their bytes are going: those are marked `deleted` later than the image. Bytes are removed after
//! that mark and before the image's own, so that a restored image always has its bytes, and that a
//! crash, or a second process at the same work, leaves nothing behind.

use super::dialect::{Connection, Transaction, query};
use image::{ImageId, Location, Status, Timestamp};

use super::{locations, read};
use crate::{Error, Result};

/// The locations that go with the image `l.image_id`: those that are pending, and those whose
/// bytes somebody has begun to remove.
const GOING: &str = "(l.status = 'pending_delete' OR (l.status = 'deleted' AND l.deleted_at > \
    (SELECT i.deleted_at FROM images i WHERE i.id = l.image_id)))";

pub(super) async fn due(db: &mut Connection, until: Timestamp) -> Result<Vec<ImageId>> {
    let ids: Vec<String> = query(
        "SELECT id FROM images WHERE status = 'pending_delete' AND deleted AND deleted_at <= ? \
         ORDER BY deleted_at, id",
    )
    .bind(until)
    .column(db)
    .await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

pub(super) async fn claim(mut db: Transaction, id: ImageId) -> Result<Vec<Location>> {
    hold(&mut db, id).await?;
    let select = format!(
        "SELECT l.value, l.meta_data FROM image_locations l \
         WHERE l.image_id = ? AND {GOING} ORDER BY l.id"
    );
    let found = query(select).bind(id.to_string()).fetch_all(&mut db).await?;
    let locations = locations::to_erase(db.urls(), id, &found)?;
    let now = later(&mut db, id).await?;
    query(
        "UPDATE image_locations SET status = 'deleted', deleted = TRUE, deleted_at = ?, \
         updated_at = ? WHERE image_id = ? AND status = 'pending_delete'",
    )
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .execute(&mut db)
    .await?;
    db.commit().await?;
    Ok(locations)
}

/// Now, or as much later as it takes to be later than the image's own mark in columns that keep
/// whole seconds.
async fn later(db: &mut Connection, id: ImageId) -> Result<Timestamp> {
    let marked: Option<Timestamp> =
        query("SELECT deleted_at FROM images WHERE id = ?").bind(id.to_string()).only(db).await?;
    let next = |marked: Timestamp| marked.as_microsecond().saturating_add(1_000_000);
    let now = Timestamp::now().as_microsecond();
    Ok(Timestamp::from_microsecond(marked.map_or(now, next).max(now)))
}

/// Keeps the image as it is until the transaction ends, also on databases that lock rows.
async fn hold(db: &mut Connection, id: ImageId) -> Result<()> {
    let held = query(
        "UPDATE images SET status = status WHERE id = ? AND status = 'pending_delete' AND deleted",
    )
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    if held > 0 {
        return Ok(());
    }
    Err(match read::status_of(db, id).await? {
        None | Some(Status::Deleted) => Error::NotFound(id),
        Some(status) => Error::Conflict { image: id, status },
    })
}

/// Refuses to restore an image whose bytes are going, or gone.
pub(super) async fn expect_untouched(db: &mut Connection, id: ImageId) -> Result<()> {
    let row = query(format!(
        "SELECT COUNT(CASE WHEN l.status = 'pending_delete' THEN 1 END) AS waiting, \
         COUNT(*) AS going FROM image_locations l \
         WHERE l.image_id = ? AND {GOING}"
    ))
    .bind(id.to_string())
    .fetch_one(db)
    .await?;
    let waiting: i64 = row.try_get("waiting")?;
    let going: i64 = row.try_get("going")?;
    match waiting > 0 && waiting == going {
        true => Ok(()),
        false => Err(Error::Scrubbed(id)),
    }
}
