//! A row for each part of an image. MySQL makes a file for every long text that it gathers, which
//! costs more than all of these.

use std::collections::BTreeMap;

use image::Image;

use crate::sql::dialect::{Connection, Query, Row};
use crate::sql::readable::readable;
use crate::sql::sealed::Urls;
use crate::sql::{locations, order, rows};
use crate::{Order, Result};

/// For each kind of row from 0: its table, and which of its rows count. Rows of the image come first,
/// with its columns; rows of parts have `word` and `more`.
const KINDS: [(&str, &str); 4] = [
    ("images AS whole ON whole.id", ""),
    ("image_properties AS property ON property.image_id", " AND {not}property.deleted"),
    ("image_tags AS tag ON tag.image_id", " AND {not}tag.deleted"),
    (
        "image_locations AS location ON location.image_id",
        " AND {not}location.deleted AND location.status = 'active'",
    ),
];

const PROPERTY: i64 = 1;
const TAG: i64 = 2;

/// The rows of the images that a query finds, which has columns for their ids and for what they are
/// ordered by; apart for each image, in that order. Each image is looked up once for each kind, by its
/// id or by nothing. The few that are found are numbered, so that their wide rows need not be sorted.
pub(super) async fn rows(
    db: &mut Connection,
    found: Query,
    order: &[Order],
) -> Result<Vec<Vec<Row>>> {
    let mut query = Query::new("SELECT ");
    query.push(rows::COLUMNS).push(", images.place, kinds.kind, location.id AS part, ");
    query.push("COALESCE(property.name, tag.value, location.value) AS word, ");
    query.push("COALESCE(property.value, location.meta_data) AS more ");
    query.push("FROM (SELECT images.id, ");
    number(&mut query, order);
    query.push(" AS place FROM (").append(found).push(") AS images) AS images CROSS JOIN (");
    let mut kinds = query.separated(" UNION ALL ");
    for kind in 0..KINDS.len() {
        kinds.push("SELECT ").push_unseparated(kind.to_string()).push_unseparated(" AS kind");
    }
    query.push(") AS kinds");
    for (kind, (table, counts)) in KINDS.iter().enumerate() {
        query.push(" LEFT JOIN ").push(table).push(" = CASE kinds.kind WHEN ");
        query.push(kind.to_string()).push(" THEN images.id END").push(counts);
    }
    apart(query.fetch_all(db).await?)
}

/// Adds the place of an image in the order; where there is none, there is one image.
fn number(query: &mut Query, order: &[Order]) {
    if order.is_empty() {
        query.push("1");
    } else {
        order::add(query.push("ROW_NUMBER() OVER ("), order, order::Plan::Walk, "images");
        query.push(")");
    }
}

/// Rows in the order of their images, and of locations by age.
fn apart(rows: Vec<Row>) -> Result<Vec<Vec<Row>>> {
    let mut images: BTreeMap<i64, BTreeMap<_, Row>> = BTreeMap::new();
    for (i, row) in rows.into_iter().enumerate() {
        let part: Option<i64> = row.try_get("part")?;
        let key = (row.try_get::<i64>("kind")?, part, i);
        images.entry(row.try_get("place")?).or_default().insert(key, row);
    }
    Ok(images.into_values().map(|rows| rows.into_values().collect()).collect())
}

/// The image of its rows. One that holds a part which can't be read is said to do so, and the image
/// goes without that.
pub(super) fn image(rows: &[Row], urls: &Urls) -> Result<Image> {
    let (first, parts) = rows.split_first().ok_or(sqlx::Error::RowNotFound)?;
    let mut image = rows::image(first)?;
    for part in parts {
        readable(add(&mut image, part, urls));
    }
    Ok(image)
}

/// Adds the part that a row holds; none when there is none of its kind.
fn add(image: &mut Image, row: &Row, urls: &Urls) -> Result<()> {
    let Some(word) = row.try_get::<Option<String>>("word")? else { return Ok(()) };
    match row.try_get("kind")? {
        PROPERTY => {
            let value: Option<String> = row.try_get("more")?;
            image.properties.insert(word, value.unwrap_or_default());
        }
        TAG => drop(image.tags.insert(word)),
        _ => image.locations.push(locations::read(urls, word, row.try_get("more")?)),
    }
    Ok(())
}
