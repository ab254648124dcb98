//! Removing rows that were marked deleted long ago: Glance's `db purge`. Source:
//! `purge_deleted_rows` and `purge_deleted_rows_from_images` of Glance's SQLAlchemy API.
//!
//! Rows of an image whose deletion is pending stay, whatever their age: they say where its bytes
//! are.

use super::SqlCatalog;
use super::dialect::{Transaction, query};
use image::Timestamp;

use crate::Result;

/// Which rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Tasks, and what belongs to images; those that refer to others first.
    Parts,
    /// Images themselves. An id that is purged may be taken again by anybody, also where others
    /// still trust it (OpenStack Security Note OSSN-0075), so this is asked for on its own.
    Images,
}

/// How many rows of a table went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// The table.
    pub table: &'static str,
    /// Rows.
    pub rows: u64,
}

/// A table, its key, and which rows of it are old; `?` is the time before which they were deleted.
struct Table {
    name: &'static str,
    key: &'static str,
    old: &'static str,
}

const fn part(name: &'static str) -> Table {
    let old = "FROM {} WHERE deleted AND deleted_at < ? AND image_id NOT IN \
               (SELECT id FROM images WHERE status = 'pending_delete')";
    Table { name, key: "id", old }
}

const PARTS: &[Table] = &[
    Table {
        name: "task_info",
        key: "task_id",
        old: "FROM {} WHERE task_id IN (SELECT id FROM tasks WHERE deleted AND deleted_at < ?)",
    },
    part("image_properties"),
    part("image_tags"),
    part("image_members"),
    part("image_locations"),
    Table { name: "tasks", key: "id", old: "FROM {} WHERE deleted AND deleted_at < ?" },
];

const IMAGES: &[Table] = &[Table {
    name: "images",
    key: "id",
    old: "FROM {} WHERE deleted AND deleted_at < ? AND status <> 'pending_delete'",
}];

/// Each table on its own: what is done stays done when a later one fails.
pub(super) async fn purge(
    catalog: &SqlCatalog,
    what: What,
    before: Timestamp,
    rows: Option<u64>,
) -> Result<Vec<Purged>> {
    let tables = match what {
        What::Parts => PARTS,
        What::Images => IMAGES,
    };
    let limit = rows.map_or(i64::MAX, |rows| i64::try_from(rows).unwrap_or(i64::MAX));
    let mut purged = Vec::new();
    for table in tables {
        let rows = change!(catalog, db => remove(db, table, before, limit))?;
        purged.push(Purged { table: table.name, rows });
    }
    Ok(purged)
}

async fn remove(mut db: Transaction, table: &Table, before: Timestamp, most: i64) -> Result<u64> {
    db.set_unhurried();
    let gone = query(statement(table)).bind(before).bind(most).execute(&mut db).await?;
    db.commit().await?;
    Ok(gone)
}

/// The inner query is wrapped twice: MySQL takes a limit only there.
fn statement(Table { name, key, old }: &Table) -> String {
    let old = old.replace("{}", name);
    format!(
        "DELETE FROM {name} WHERE {key} IN \
         (SELECT {key} FROM (SELECT {key} {old} ORDER BY {key} LIMIT ?) AS old)"
    )
}
