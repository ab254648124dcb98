//! Rows that are deleted stay, marked: nothing is ever removed from Glance's tables but by its
//! `db purge`.

use std::time::Duration;

use image::{ImageId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::time;
use crate::Result;

/// Glance marks an image's properties in a transaction of its own before it marks the image.
const GLANCES_PACE: Duration = Duration::from_secs(1);

const PARTS: [&str; 3] = ["image_properties", "image_tags", "image_members"];

/// Marks an image and all that belongs to it; locations say also whether their bytes go now
/// (`deleted`) or later (`pending_delete`).
pub(super) async fn mark(
    db: &mut SqliteConnection,
    id: ImageId,
    status: Status,
    now: &str,
) -> Result<()> {
    let mut query = marking("images", now);
    query.push(" WHERE NOT deleted AND id = ").push_bind(id.to_string());
    query.build().execute(&mut *db).await?;
    for table in PARTS {
        let mut query = marking(table, now);
        query.push(" WHERE NOT deleted AND image_id = ").push_bind(id.to_string());
        query.build().execute(&mut *db).await?;
    }
    mark_locations(db, id, status, now).await
}

/// Marks the locations alone.
pub(super) async fn mark_locations(
    db: &mut SqliteConnection,
    id: ImageId,
    status: Status,
    now: &str,
) -> Result<()> {
    let mut query = marking("image_locations", now);
    query.push(", status = ").push_bind(status.as_str());
    query.push(" WHERE (NOT deleted OR status = 'pending_delete') AND image_id = ");
    query.push_bind(id.to_string());
    query.build().execute(db).await?;
    Ok(())
}

/// Takes back the marks that [`mark`] made together; what was deleted before stays so.
pub(super) async fn unmark(db: &mut SqliteConnection, id: ImageId, now: &str) -> Result<()> {
    let deleted_at: Option<String> =
        sqlx::query_scalar("SELECT deleted_at FROM images WHERE id = ?")
            .bind(id.to_string())
            .fetch_one(&mut *db)
            .await?;
    let since = deleted_at.as_deref().map(|at| time::earlier(at, GLANCES_PACE));
    for table in PARTS {
        let mut query = unmarking(table, now);
        query.push(" WHERE deleted_at >= ").push_bind(since.clone()).push(" AND image_id = ");
        query.push_bind(id.to_string()).build().execute(&mut *db).await?;
    }
    let mut query = unmarking("image_locations", now);
    query.push(", status = 'active' WHERE status = 'pending_delete' AND image_id = ");
    query.push_bind(id.to_string()).build().execute(&mut *db).await?;
    let mut query = unmarking("images", now);
    query.push(" WHERE id = ").push_bind(id.to_string()).build().execute(&mut *db).await?;
    Ok(())
}

fn unmarking(table: &'static str, now: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("UPDATE ");
    query.push(table).push(" SET deleted = FALSE, deleted_at = NULL, updated_at = ");
    query.push_bind(now.to_owned());
    query
}

fn marking(table: &'static str, now: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("UPDATE ");
    query.push(table).push(" SET deleted = TRUE, deleted_at = ").push_bind(now.to_owned());
    query.push(", updated_at = ").push_bind(now.to_owned());
    query
}
