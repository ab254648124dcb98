//! Rows that are deleted stay, marked: nothing is ever removed from Glance's tables but by its
//! `db purge`.

use super::dialect::{Connection, Query, query};
use std::time::Duration;

use image::{ImageId, Status, Timestamp};

use crate::Result;

/// Glance marks an image's properties in a transaction of its own before it marks the image.
const GLANCES_PACE: Duration = Duration::from_secs(1);

const PARTS: [&str; 3] = ["image_properties", "image_tags", "image_members"];

/// Marks an image that the transaction has locked, and all that belongs to it; it and its locations
/// say whether their bytes go now (`deleted`) or later (`pending_delete`).
pub(super) async fn mark(
    db: &mut Connection,
    id: ImageId,
    status: Status,
    now: Timestamp,
) -> Result<()> {
    query(
        "UPDATE images SET status = ?, deleted = TRUE, deleted_at = COALESCE(deleted_at, ?), \
         updated_at = ? WHERE id = ?",
    )
    .bind(status.as_str())
    .bind(now)
    .bind(now)
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    for table in used(db, id).await? {
        let mut query = marking(table, now);
        query.push(" WHERE NOT deleted AND image_id = ").push_bind(id.to_string());
        query.execute(&mut *db).await?;
    }
    mark_locations(db, id, status, now).await
}

/// The tables of parts in which the image has any: most images lack some.
async fn used(db: &mut Connection, id: ImageId) -> Result<Vec<&'static str>> {
    let mut query = Query::new("SELECT ");
    let mut answers = query.separated(", ");
    for table in PARTS {
        answers.push("EXISTS (SELECT 1 FROM ").push_unseparated(table);
        answers.push_unseparated(" WHERE NOT deleted AND image_id = ");
        answers.bind_unseparated(id.to_string()).push_unseparated(") AS ");
        answers.push_unseparated(table);
    }
    let row = query.fetch_one(db).await?;
    let mut used = Vec::new();
    for table in PARTS {
        if row.try_get(table)? {
            used.push(table);
        }
    }
    Ok(used)
}

/// Marks the locations alone.
pub(super) async fn mark_locations(
    db: &mut Connection,
    id: ImageId,
    status: Status,
    now: Timestamp,
) -> Result<()> {
    let mut query = marking("image_locations", now);
    query.push(", status = ").push_bind(status.as_str());
    query.push(" WHERE (NOT deleted OR status = 'pending_delete') AND image_id = ");
    query.push_bind(id.to_string());
    query.execute(db).await?;
    Ok(())
}

/// Takes back the marks that [`mark`] made together; what was deleted before stays so.
pub(super) async fn unmark(db: &mut Connection, id: ImageId, now: Timestamp) -> Result<()> {
    let deleted_at: Option<Option<Timestamp>> = query("SELECT deleted_at FROM images WHERE id = ?")
        .bind(id.to_string())
        .value(&mut *db)
        .await?;
    let since = deleted_at.flatten().map(|at| earlier(at, GLANCES_PACE));
    for table in PARTS {
        let mut query = unmarking(table, now);
        query.push(" WHERE deleted_at >= ").push_bind(since).push(" AND image_id = ");
        query.push_bind(id.to_string()).execute(&mut *db).await?;
    }
    let mut query = unmarking("image_locations", now);
    query.push(", status = 'active' WHERE status = 'pending_delete' AND image_id = ");
    query.push_bind(id.to_string()).execute(&mut *db).await?;
    let mut query = unmarking("images", now);
    query.push(" WHERE id = ").push_bind(id.to_string()).execute(&mut *db).await?;
    Ok(())
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(at.as_microsecond().saturating_sub(by))
}

fn unmarking(table: &'static str, now: Timestamp) -> Query {
    let mut query = Query::new("UPDATE ");
    query.push(table).push(" SET deleted = FALSE, deleted_at = NULL, updated_at = ");
    query.push_bind(now);
    query
}

fn marking(table: &'static str, now: Timestamp) -> Query {
    let mut query = Query::new("UPDATE ");
    query.push(table).push(" SET deleted = TRUE, deleted_at = ").push_bind(now);
    query.push(", updated_at = ").push_bind(now);
    query
}
