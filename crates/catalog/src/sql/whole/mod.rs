//! Whole images: what belongs to one and has a table of its own, properties, tags and locations, is
//! read with it by one statement. Nothing changes between two looks, and no transaction is needed.
//! Databases differ in what that costs: see [`texts`] and [`parts`].

mod parts;
mod texts;

use image::Image;

use super::dialect::{Connection, Dialect, Query, Row};
use crate::{Order, Result};

/// The rows of the images that a query finds, which has columns for their ids and for what they are
/// ordered by; apart for each image, in that order. The first one of each has the image's columns.
pub(super) async fn rows(
    db: &mut Connection,
    found: Query,
    order: &[Order],
) -> Result<Vec<Vec<Row>>> {
    match db.dialect() {
        Dialect::MySql => parts::rows(db, found, order).await,
        Dialect::Sqlite | Dialect::Postgres => {
            let rows = texts::rows(db, found, order).await?;
            Ok(rows.into_iter().map(|row| vec![row]).collect())
        }
    }
}

/// The image of its rows. One that holds a part which can't be read is said to do so, and the image
/// goes without that.
pub(super) fn image(rows: &[Row], db: &Connection) -> Result<Image> {
    match db.dialect() {
        Dialect::MySql => parts::image(rows, db.urls()),
        Dialect::Sqlite | Dialect::Postgres => {
            let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
            texts::image(row, db.urls())
        }
    }
}
