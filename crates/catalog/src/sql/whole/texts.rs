//! A row for each image, with a JSON text for its properties, one for its tags, and one for its
//! locations.

use image::{Image, Location};
use serde::Deserialize;

use crate::sql::dialect::{Connection, Query, Row};
use crate::sql::readable::readable;
use crate::sql::sealed::Urls;
use crate::sql::{locations, order, rows};
use crate::{Error, Order, Result};

/// The columns of what belongs to an image: their names, and where they come from.
const PARTS: [(&str, &str, &str); 3] = [
    (
        "properties",
        "{json array}(part.name, part.value)",
        "image_properties AS part WHERE part.image_id = whole.id AND {not}part.deleted",
    ),
    (
        "tags",
        "part.value",
        "image_tags AS part WHERE part.image_id = whole.id AND {not}part.deleted",
    ),
    (
        "locations",
        "{json array}(part.id, part.value, part.meta_data)",
        "image_locations AS part WHERE part.image_id = whole.id AND {not}part.deleted \
         AND part.status = 'active'",
    ),
];

/// The images that a query finds, which has columns for their ids and for what they are ordered by, in
/// that order.
pub(super) async fn rows(db: &mut Connection, found: Query, order: &[Order]) -> Result<Vec<Row>> {
    let mut query = Query::new("SELECT ");
    query.push(rows::COLUMNS);
    for (name, part, table) in PARTS {
        query.push(", (SELECT CAST({json of rows}(").push(part).push(") AS {text}) FROM ");
        query.push(table).push(") AS ").push(name);
    }
    query.push(" FROM (").append(found).push(") AS images {joined to} images AS whole");
    query.push(" WHERE whole.id = images.id");
    if !order.is_empty() {
        order::add(&mut query, order, order::Plan::Walk, "images");
    }
    Ok(query.fetch_all(db).await?)
}

/// The image of its row. One that holds a part which can't be read is said to do so, and the image
/// goes without that.
pub(super) fn image(row: &Row, urls: &Urls) -> Result<Image> {
    let mut image = rows::image(row)?;
    let properties = readable(parts::<(Option<String>, Option<String>)>(row, "properties"));
    image.properties = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name?, value.unwrap_or_default())))
        .collect();
    let tags = readable(parts::<Option<String>>(row, "tags"));
    image.tags = tags.into_iter().flatten().flatten().collect();
    image.locations = readable(active(row, urls)).unwrap_or_default();
    Ok(image)
}

/// The locations that may be read, by age.
fn active(row: &Row, urls: &Urls) -> Result<Vec<Location>> {
    let mut locations: Vec<(i64, String, Option<String>)> = parts(row, "locations")?;
    locations.sort_unstable_by_key(|(id, ..)| *id);
    let read = |(_, value, metadata): (_, _, Option<String>)| {
        locations::read(urls, value, metadata.as_deref())
    };
    Ok(locations.into_iter().map(read).collect())
}

/// What a column holds of parts; it is null where there are none.
fn parts<T: for<'a> Deserialize<'a>>(row: &Row, column: &str) -> Result<Vec<T>> {
    let Some(text) = row.try_get::<Option<&str>>(column)? else { return Ok(Vec::new()) };
    serde_json::from_str(text).map_err(|error| Error::Corrupt {
        image: row.try_get("id").unwrap_or_default(),
        what: format!("{column}: {error}"),
    })
}
