//! Rows become images, and the parts of an image that have tables of their own are added.

use std::collections::HashMap;
use std::str::FromStr;

use image::{DataHashes, Image, ImageId, Location, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::time;
use crate::{Error, Result};

/// What is read of an image, in one place for all statements.
pub(super) const COLUMNS: &str = "images.id, images.name, images.size, images.status, \
    images.created_at, images.updated_at, images.disk_format, images.container_format, \
    images.checksum, images.owner, images.min_disk, images.min_ram, images.protected, \
    images.virtual_size, images.visibility, images.os_hidden, images.os_hash_algo, \
    images.os_hash_value";

/// The image of a row, without properties, tags and locations. Errors: `Corrupt` when the row
/// holds what no service should have written.
pub(super) fn image(row: &SqliteRow) -> Result<Image> {
    let stored_id: String = row.try_get("id")?;
    let fields = Fields { row, id: &stored_id };
    let created_at =
        fields.time("created_at")?.ok_or_else(|| fields.corrupt("created_at: null"))?;
    Ok(Image {
        id: fields.word("id")?,
        name: row.try_get("name")?,
        status: fields.word("status")?,
        visibility: fields.word("visibility")?,
        owner: row.try_get("owner")?,
        disk_format: fields.word_or_null("disk_format")?,
        container_format: fields.word_or_null("container_format")?,
        size: fields.number("size")?,
        virtual_size: fields.number("virtual_size")?,
        hashes: fields.hashes()?,
        min_disk: fields.count("min_disk")?,
        min_ram: fields.count("min_ram")?,
        protected: row.try_get("protected")?,
        os_hidden: row.try_get("os_hidden")?,
        created_at,
        updated_at: fields.time("updated_at")?.unwrap_or(created_at),
        properties: Default::default(),
        tags: Default::default(),
        locations: Vec::new(),
    })
}

/// A row, with the name that complaints about it need.
struct Fields<'a> {
    row: &'a SqliteRow,
    id: &'a str,
}

impl Fields<'_> {
    fn corrupt(&self, what: impl Into<String>) -> Error {
        Error::Corrupt { image: self.id.to_owned(), what: what.into() }
    }

    fn word<T: FromStr>(&self, column: &str) -> Result<T> {
        self.word_or_null(column)?.ok_or_else(|| self.corrupt(format!("{column}: null")))
    }

    fn word_or_null<T: FromStr>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<String> = self.row.try_get(column)?;
        let parse =
            |text: String| text.parse().map_err(|_| self.corrupt(format!("{column}: '{text}'")));
        // Glance writes an empty string where a format was set to nothing.
        text.filter(|text| !text.is_empty()).map(parse).transpose()
    }

    fn number(&self, column: &str) -> Result<Option<u64>> {
        let number: Option<i64> = self.row.try_get(column)?;
        let parse =
            |number| u64::try_from(number).map_err(|_| self.corrupt(format!("{column}: {number}")));
        number.map(parse).transpose()
    }

    fn count(&self, column: &str) -> Result<u32> {
        let number: i64 = self.row.try_get(column)?;
        u32::try_from(number).map_err(|_| self.corrupt(format!("{column}: {number}")))
    }

    fn time(&self, column: &str) -> Result<Option<Timestamp>> {
        let text: Option<String> = self.row.try_get(column)?;
        let parse = |text: String| {
            time::from_text(&text).ok_or_else(|| self.corrupt(format!("{column}: '{text}'")))
        };
        text.map(parse).transpose()
    }

    /// All three columns, or none: images from before `os_hash_value` have a checksum alone.
    fn hashes(&self) -> Result<Option<DataHashes>> {
        let checksum: Option<String> = self.row.try_get("checksum")?;
        let algorithm: Option<String> = self.row.try_get("os_hash_algo")?;
        let value: Option<String> = self.row.try_get("os_hash_value")?;
        Ok(match (checksum, algorithm, value) {
            (Some(checksum), Some(algorithm), Some(value)) => {
                Some(DataHashes { checksum, algorithm, value })
            }
            _ => None,
        })
    }
}

/// Adds properties, tags and locations to these images, in one query.
pub(super) async fn add_parts(db: &mut SqliteConnection, images: &mut [Image]) -> Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    let places: HashMap<ImageId, usize> =
        images.iter().enumerate().map(|(place, image)| (image.id, place)).collect();
    let mut query = QueryBuilder::<Sqlite>::new("");
    for (i, part) in PARTS.iter().enumerate() {
        query.push(if i == 0 { "" } else { " UNION ALL " }).push(*part).push(" AND image_id IN (");
        let mut ids = query.separated(", ");
        for image in images.iter() {
            ids.push_bind(image.id.to_string());
        }
        query.push(")");
    }
    // A location's id orders it; the others are sets.
    query.push(" ORDER BY kind, place");
    for row in query.build().fetch_all(db).await? {
        let id: String = row.try_get("image_id")?;
        let place = id.parse().ok().and_then(|id| places.get(&id));
        if let Some(image) = place.and_then(|place| images.get_mut(*place)) {
            add_part(image, &row)?;
        }
    }
    Ok(())
}

/// Rows of one shape from three tables.
const PARTS: [&str; 3] = [
    "SELECT image_id, 0 AS kind, id AS place, name AS first, value AS second \
     FROM image_properties WHERE deleted = 0",
    "SELECT image_id, 1, id, value, NULL FROM image_tags WHERE deleted = 0",
    "SELECT image_id, 2, id, value, meta_data FROM image_locations \
     WHERE deleted = 0 AND status = 'active'",
];

fn add_part(image: &mut Image, row: &SqliteRow) -> Result<()> {
    let kind: i64 = row.try_get("kind")?;
    let first: String = row.try_get("first")?;
    let second: Option<String> = row.try_get("second")?;
    match kind {
        0 => drop(image.properties.insert(first, second.unwrap_or_default())),
        1 => drop(image.tags.insert(first)),
        _ => image.locations.push(location(first, second.as_deref())),
    }
    Ok(())
}

/// A location, with the store that its metadata names.
pub(super) fn location(uri: String, metadata: Option<&str>) -> Location {
    let metadata = metadata.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let store = metadata.and_then(|metadata| Some(metadata.get("store")?.as_str()?.to_owned()));
    Location { uri, store }
}
