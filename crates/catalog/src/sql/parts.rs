//! What belongs to an image and has a table of its own: properties, tags, locations. Their rows are
//! read in one shape, from all three tables at once.

use super::dialect::{Connection, Query, Row, Value};
use std::collections::HashMap;

use image::{Image, ImageId, Timestamp};

use super::locations;
use super::readable::readable;
use super::sealed::Urls;
use crate::Result;

const TABLES: [&str; 3] = [
    "SELECT image_id, 0 AS kind, id AS place, name AS word, value AS more \
     FROM image_properties WHERE NOT deleted",
    "SELECT image_id, 1, id, value, NULL FROM image_tags WHERE NOT deleted",
    "SELECT image_id, 2, id, value, meta_data FROM image_locations \
     WHERE NOT deleted AND status = 'active'",
];

/// Adds the query for the parts of these images, with the columns `image_id`, `kind`, `place` (by
/// which locations are ordered), `word` and `more`.
pub(super) fn select(query: &mut Query, ids: &[ImageId]) {
    for (i, table) in TABLES.iter().enumerate() {
        query.push(if i == 0 { "" } else { " UNION ALL " });
        query.push(*table).push(" AND image_id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.to_string());
        }
        query.push(")");
    }
}

/// Adds properties, tags and locations to these images, in one query.
pub(super) async fn add_all(db: &mut Connection, images: &mut [Image]) -> Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = images.iter().map(|image| image.id).collect();
    let places: HashMap<_, _> =
        ids.iter().enumerate().map(|(place, id)| (id.to_string(), place)).collect();
    let mut query = Query::new("");
    select(&mut query, &ids);
    query.push(" ORDER BY kind, place");
    for row in query.fetch_all(&mut *db).await? {
        let place = places.get(row.try_get::<&str>("image_id")?);
        if let Some(image) = place.and_then(|place| images.get_mut(*place)) {
            readable(add(image, &row, db.urls()));
        }
    }
    Ok(())
}

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

/// Adds the part that a row holds; none when its columns are null. One that can't be read is said
/// to be so, and its image goes without it.
pub(super) fn add(image: &mut Image, row: &Row, urls: &Urls) -> Result<()> {
    let Some(kind) = row.try_get::<Option<i64>>("kind")? else { return Ok(()) };
    let word: String = row.try_get("word")?;
    match kind {
        0 => {
            let value: Option<String> = row.try_get("more")?;
            image.properties.insert(word, value.unwrap_or_default());
        }
        1 => drop(image.tags.insert(word)),
        _ => image.locations.push(locations::read(urls, word, row.try_get("more")?)),
    }
    Ok(())
}
