//! Writing what belongs to an image and has a table of its own.

use image::{ImageId, Timestamp};

use super::dialect::{Connection, Query, Value};

/// Rows in one statement, at most: SQLite takes 32,766 values.
const ROWS: usize = 1000;

/// Writes rows of an image into a table of parts, in one statement.
pub(super) async fn insert<const N: usize>(
    db: &mut Connection,
    table: &'static str,
    columns: [&'static str; N],
    id: ImageId,
    rows: impl Iterator<Item = [Value; N]>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let rows: Vec<_> = rows.collect();
    for rows in rows.chunks(ROWS) {
        let mut query = Query::new("INSERT INTO ");
        query.push(table).push(" (image_id, created_at, updated_at, deleted, ");
        query.push(columns.join(", ")).push(") VALUES ");
        let mut list = query.separated(", ");
        for values in rows {
            list.push("(").bind_unseparated(id.to_string()).push_unseparated(", ");
            list.bind_unseparated(now).push_unseparated(", ").bind_unseparated(now);
            list.push_unseparated(", FALSE");
            for value in values {
                list.push_unseparated(", ").bind_unseparated(value.clone());
            }
            list.push_unseparated(")");
        }
        query.execute(db).await?;
    }
    Ok(())
}
