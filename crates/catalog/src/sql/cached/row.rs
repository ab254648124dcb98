//! What rows of both kinds of records have in common.

use image::Timestamp;

use super::super::dialect::Row;
use crate::{CachedImage, Error, Result};

/// The record in a row, of which id and times are kept in several ways.
pub(super) fn cached(
    row: &Row,
    id: Option<i64>,
    last_accessed: Timestamp,
    last_modified: Timestamp,
) -> Result<CachedImage> {
    let image: String = row.try_get("image_id")?;
    let corrupt = |what: &str| Error::Corrupt { image: image.clone(), what: what.to_owned() };
    let count = |column: &str| {
        let number: i64 = row.try_get(column)?;
        u64::try_from(number).map_err(|_| corrupt(&format!("{column}: {number}")))
    };
    Ok(CachedImage {
        row: id,
        image_id: image.parse().map_err(|_| corrupt("cached_images.image_id"))?,
        size: count("size")?,
        hits: count("hits")?,
        last_accessed,
        last_modified,
        checksum: row.try_get("checksum")?,
    })
}

/// SQL has signed numbers only.
pub(in crate::sql) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
