//! Glance's driver `sqlite`: a database of its own in the cache's directory
//! (`image_cache_sqlite_db`). Times are seconds since 1970.

use std::path::Path;

use async_trait::async_trait;
use image::{ImageId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use super::super::{dialect, readable};
use super::shared::number;
use crate::{CachedImage, CachedImages, Error, Result};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS cached_images (image_id TEXT PRIMARY KEY, \
     last_accessed REAL DEFAULT 0.0, last_modified REAL DEFAULT 0.0, size INTEGER DEFAULT 0, \
     hits INTEGER DEFAULT 0, checksum TEXT)";

/// Microseconds in a second.
const MICROS: f64 = 1e6;

/// The records of a node that keeps them to itself.
#[derive(Debug, Clone)]
pub struct LocalRecords {
    db: SqlitePool,
}

impl LocalRecords {
    /// Opens the file, and makes it when it is not there.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = dialect::durable(dialect::untouched(path)).create_if_missing(true);
        let db = dialect::pool(1).connect_with(options).await?;
        sqlx::query(TABLE).execute(&db).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl CachedImages for LocalRecords {
    async fn all(&self) -> Result<Vec<CachedImage>> {
        let query = "SELECT image_id, last_accessed, last_modified, size, hits, checksum \
             FROM cached_images ORDER BY image_id";
        Ok(readable::all(&sqlx::query(query).fetch_all(&self.db).await?, cached))
    }

    async fn put(&self, image: &CachedImage) -> Result<Option<i64>> {
        sqlx::query(
            "INSERT OR REPLACE INTO cached_images (image_id, last_accessed, last_modified, size, \
             hits, checksum) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(image.image_id.to_string())
        .bind(seconds(image.last_accessed))
        .bind(seconds(image.last_modified))
        .bind(number(image.size))
        .bind(number(image.hits))
        .bind(&image.checksum)
        .execute(&self.db)
        .await?;
        Ok(None)
    }

    async fn remove(&self, id: ImageId) -> Result<()> {
        let query = "DELETE FROM cached_images WHERE image_id = ?";
        sqlx::query(query).bind(id.to_string()).execute(&self.db).await?;
        Ok(())
    }

    async fn nodes(&self, _id: ImageId) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

fn cached(row: &SqliteRow) -> Result<CachedImage> {
    let id: String = row.try_get("image_id")?;
    let corrupt = |what: &str| Error::Corrupt { image: id.clone(), what: what.to_owned() };
    let count = |column: &str| {
        let number: i64 = row.try_get(column)?;
        u64::try_from(number).map_err(|_| corrupt(&format!("{column}: {number}")))
    };
    Ok(CachedImage {
        row: None,
        image_id: id.parse().map_err(|_| corrupt("cached_images.image_id"))?,
        size: count("size")?,
        hits: count("hits")?,
        last_accessed: instant(row.try_get("last_accessed")?),
        last_modified: instant(row.try_get("last_modified")?),
        checksum: row.try_get("checksum")?,
    })
}

fn seconds(instant: Timestamp) -> f64 {
    instant.as_microsecond() as f64 / MICROS
}

/// Glance rounds, too; seconds that are no number are brought into range.
fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_microsecond((seconds * MICROS).round() as i64)
}
