//! What belongs to an image and has a table of its own: properties, tags, locations. Each table's
//! rows are one column of the image's row, as JSON: so a page of images is one statement, which no
//! change can come between, and one row for each image.

use std::collections::BTreeMap;

use image::Image;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::locations;
use crate::{Error, Result};

/// The columns `properties`, an object; `tags` and `locations`, arrays.
pub(super) const COLUMNS: &str = "\
    (SELECT json_group_object(name, value) FROM image_properties \
     WHERE image_id = images.id AND NOT deleted) AS properties, \
    (SELECT json_group_array(value) FROM image_tags \
     WHERE image_id = images.id AND NOT deleted) AS tags, \
    (SELECT json_group_array(json_array(value, meta_data)) FROM (\
     SELECT value, meta_data FROM image_locations \
     WHERE image_id = images.id AND NOT deleted AND status = 'active' ORDER BY id)) AS locations";

/// Adds to an image what its row has of them.
pub(super) fn add(image: &mut Image, row: &SqliteRow) -> Result<()> {
    let properties: BTreeMap<String, Option<String>> = column(image, row, "properties")?;
    let values = properties.into_iter().map(|(name, value)| (name, value.unwrap_or_default()));
    image.properties.extend(values);
    image.tags.extend(column::<Vec<String>>(image, row, "tags")?);
    let found: Vec<(String, Option<String>)> = column(image, row, "locations")?;
    let found = found.into_iter().map(|(uri, metadata)| locations::read(uri, metadata.as_deref()));
    image.locations.extend(found);
    Ok(())
}

fn column<T: DeserializeOwned>(image: &Image, row: &SqliteRow, name: &str) -> Result<T> {
    let corrupt = |what: String| Error::Corrupt {
        image: image.id.to_string(),
        what: format!("{name}: {what}"),
    };
    let text: &str = row.try_get(name)?;
    serde_json::from_str(text).map_err(|error| corrupt(error.to_string()))
}
