//! Deletions that were put off: which are due, and which are being carried out.
//!
//! Glance's schema has no state between `pending_delete` and `deleted`, so the locations say that
//! their bytes are going: those are marked `deleted` later than the image. Bytes are removed after
//! that mark and before the image's own, so that a restored image always has its bytes, and that a
//! crash, or a second process at the same work, leaves nothing behind.

use image::{ImageId, Location, Status, Timestamp};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{locations, read, time};
use crate::{Error, Result};

/// The locations that go with the image `l.image_id`: those that are pending, and those whose
/// bytes somebody has begun to remove.
const GOING: &str = "(l.status = 'pending_delete' OR (l.status = 'deleted' AND l.deleted_at > \
    (SELECT i.deleted_at FROM images i WHERE i.id = l.image_id)))";

pub(super) async fn due(db: &mut SqliteConnection, until: Timestamp) -> Result<Vec<ImageId>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM images WHERE status = 'pending_delete' AND deleted AND deleted_at <= ? \
         ORDER BY deleted_at, id",
    )
    .bind(time::to_text(until))
    .fetch_all(db)
    .await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

pub(super) async fn claim(mut db: Transaction<'_, Sqlite>, id: ImageId) -> Result<Vec<Location>> {
    hold(&mut db, id).await?;
    let select = format!(
        "SELECT l.value, l.meta_data FROM image_locations l \
         WHERE l.image_id = ? AND {GOING} ORDER BY l.id"
    );
    let found: Vec<(String, Option<String>)> = sqlx::query_as(sqlx::AssertSqlSafe(select))
        .bind(id.to_string())
        .fetch_all(&mut *db)
        .await?;
    let now = time::to_text(Timestamp::now());
    sqlx::query(
        "UPDATE image_locations SET status = 'deleted', deleted = TRUE, deleted_at = ?, \
         updated_at = ? WHERE image_id = ? AND status = 'pending_delete'",
    )
    .bind(&now)
    .bind(&now)
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    db.commit().await?;
    Ok(found.into_iter().map(|(uri, metadata)| locations::read(uri, metadata.as_deref())).collect())
}

/// Keeps the image as it is until the transaction ends, also on databases that lock rows.
async fn hold(db: &mut SqliteConnection, id: ImageId) -> Result<()> {
    let held = sqlx::query(
        "UPDATE images SET status = status WHERE id = ? AND status = 'pending_delete' AND deleted",
    )
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    if held.rows_affected() > 0 {
        return Ok(());
    }
    Err(match read::status_of(db, id).await? {
        None | Some(Status::Deleted) => Error::NotFound(id),
        Some(status) => Error::Conflict { image: id, status },
    })
}

/// Refuses to restore an image whose bytes are going, or gone.
pub(super) async fn expect_untouched(db: &mut SqliteConnection, id: ImageId) -> Result<()> {
    let (waiting, going): (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT COALESCE(SUM(CASE WHEN l.status = 'pending_delete' THEN 1 ELSE 0 END), 0), \
         COUNT(*) FROM image_locations l \
         WHERE l.image_id = ? AND {GOING}"
    )))
    .bind(id.to_string())
    .fetch_one(db)
    .await?;
    match waiting > 0 && waiting == going {
        true => Ok(()),
        false => Err(Error::Scrubbed(id)),
    }
}
