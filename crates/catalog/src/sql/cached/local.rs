//! Glance's driver `sqlite`: a database of its own in the cache's directory
//! (`image_cache_sqlite_db`). Times are seconds since 1970.

use std::path::Path;

use async_trait::async_trait;
use image::{ImageId, Timestamp};

use super::super::dialect::{Pool, Row, query};
use super::super::readable;
use super::row;
use crate::{CachedImage, CachedImages, Result};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS cached_images (image_id TEXT PRIMARY KEY, \
     last_accessed REAL DEFAULT 0.0, last_modified REAL DEFAULT 0.0, size INTEGER DEFAULT 0, \
     hits INTEGER DEFAULT 0, checksum TEXT)";

/// The records of a node that keeps them to itself.
#[derive(Debug, Clone)]
pub struct LocalRecords {
    db: Pool,
}

impl LocalRecords {
    /// Opens the file, and makes it when it is not there.
    pub async fn open(path: &Path) -> Result<Self> {
        let db = Pool::of(&path.into()).await?;
        query(TABLE).execute(&mut db.writer().await?).await?;
        Ok(Self { db })
    }
}

#[async_trait]
impl CachedImages for LocalRecords {
    /// Glance rounds to microseconds, too; seconds that are no number are brought into range.
    async fn all(&self) -> Result<Vec<CachedImage>> {
        let rows = query(
            "SELECT image_id, CAST(ROUND(last_accessed * 1e6) AS INTEGER) AS last_accessed, \
             CAST(ROUND(last_modified * 1e6) AS INTEGER) AS last_modified, size, hits, checksum \
             FROM cached_images ORDER BY image_id",
        )
        .fetch_all(&mut self.db.acquire().await?)
        .await?;
        Ok(readable::all(&rows, cached))
    }

    async fn put(&self, image: &CachedImage) -> Result<Option<i64>> {
        query(
            "INSERT OR REPLACE INTO cached_images (image_id, last_accessed, last_modified, size, \
             hits, checksum) VALUES (?, ? / 1e6, ? / 1e6, ?, ?, ?)",
        )
        .bind(image.image_id.to_string())
        .bind(image.last_accessed.as_microsecond())
        .bind(image.last_modified.as_microsecond())
        .bind(row::number(image.size))
        .bind(row::number(image.hits))
        .bind(&image.checksum)
        .execute(&mut self.db.writer().await?)
        .await?;
        Ok(None)
    }

    async fn remove(&self, id: ImageId) -> Result<()> {
        query("DELETE FROM cached_images WHERE image_id = ?")
            .bind(id.to_string())
            .execute(&mut self.db.writer().await?)
            .await?;
        Ok(())
    }

    async fn nodes(&self, _id: ImageId) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

fn cached(row: &Row) -> Result<CachedImage> {
    let time = |column| row.try_get(column).map(Timestamp::from_microsecond);
    row::cached(row, None, time("last_accessed")?, time("last_modified")?)
}
