//! Glance's tables `cached_images` and `node_reference`.

use async_trait::async_trait;
use image::ImageId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::{SqlCatalog, time};
use crate::{CachedImage, CachedImages, Error, Result};

/// The records of one node in the catalog's database.
#[derive(Debug, Clone)]
pub struct NodeRecords {
    catalog: SqlCatalog,
    node: i64,
}

impl NodeRecords {
    /// Opens the records of the node that others reach at `url` (`worker_self_reference_url`), and
    /// makes the node known.
    pub async fn open(catalog: &SqlCatalog, url: &str) -> Result<Self> {
        let mut db = catalog.begin().await?;
        let node = match find(&mut db, url).await? {
            Some(node) => node,
            None => {
                sqlx::query("INSERT INTO node_reference (node_reference_url) VALUES (?)")
                    .bind(url)
                    .execute(&mut *db)
                    .await?;
                find(&mut db, url).await?.ok_or(sqlx::Error::RowNotFound)?
            }
        };
        db.commit().await?;
        Ok(Self { catalog: catalog.clone(), node })
    }
}

async fn find(db: &mut SqliteConnection, url: &str) -> Result<Option<i64>> {
    let query = "SELECT node_reference_id FROM node_reference WHERE node_reference_url = ?";
    Ok(sqlx::query_scalar(query).bind(url).fetch_optional(db).await?)
}

#[async_trait]
impl CachedImages for NodeRecords {
    async fn all(&self) -> Result<Vec<CachedImage>> {
        let rows = sqlx::query(
            "SELECT id, image_id, last_accessed, last_modified, size, hits, checksum \
             FROM cached_images WHERE node_reference_id = ? ORDER BY id",
        )
        .bind(self.node)
        .fetch_all(&self.catalog.readers)
        .await?;
        rows.iter().map(cached).collect()
    }

    async fn put(&self, image: &CachedImage) -> Result<Option<i64>> {
        let mut db = self.catalog.begin().await?;
        if !update(&mut db, self.node, image).await? {
            insert(&mut db, self.node, image).await?;
        }
        let row = sqlx::query_scalar(
            "SELECT id FROM cached_images WHERE image_id = ? AND node_reference_id = ?",
        )
        .bind(image.image_id.to_string())
        .bind(self.node)
        .fetch_optional(&mut *db)
        .await?;
        db.commit().await?;
        Ok(row)
    }

    async fn remove(&self, id: ImageId) -> Result<()> {
        let mut db = self.catalog.begin().await?;
        sqlx::query("DELETE FROM cached_images WHERE image_id = ? AND node_reference_id = ?")
            .bind(id.to_string())
            .bind(self.node)
            .execute(&mut *db)
            .await?;
        Ok(db.commit().await?)
    }

    async fn nodes(&self, id: ImageId) -> Result<Option<Vec<String>>> {
        let urls = sqlx::query_scalar(
            "SELECT node_reference_url FROM node_reference JOIN cached_images \
             ON cached_images.node_reference_id = node_reference.node_reference_id \
             WHERE image_id = ? ORDER BY node_reference_url",
        )
        .bind(id.to_string())
        .fetch_all(&self.catalog.readers)
        .await?;
        Ok(Some(urls))
    }
}

async fn update(db: &mut SqliteConnection, node: i64, image: &CachedImage) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE cached_images SET last_accessed = ?, last_modified = ?, size = ?, hits = ?, \
         checksum = ? WHERE image_id = ? AND node_reference_id = ?",
    )
    .bind(time::to_text(image.last_accessed))
    .bind(time::to_text(image.last_modified))
    .bind(number(image.size))
    .bind(number(image.hits))
    .bind(&image.checksum)
    .bind(image.image_id.to_string())
    .bind(node)
    .execute(db)
    .await?;
    Ok(updated.rows_affected() > 0)
}

async fn insert(db: &mut SqliteConnection, node: i64, image: &CachedImage) -> Result<()> {
    sqlx::query(
        "INSERT INTO cached_images (image_id, last_accessed, last_modified, size, hits, checksum, \
         node_reference_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(image.image_id.to_string())
    .bind(time::to_text(image.last_accessed))
    .bind(time::to_text(image.last_modified))
    .bind(number(image.size))
    .bind(number(image.hits))
    .bind(&image.checksum)
    .bind(node)
    .execute(db)
    .await?;
    Ok(())
}

fn cached(row: &SqliteRow) -> Result<CachedImage> {
    let id: String = row.try_get("image_id")?;
    let corrupt = |what: &str| Error::Corrupt { image: id.clone(), what: what.to_owned() };
    let instant = |column: &str| {
        let text: String = row.try_get(column)?;
        time::from_text(&text).ok_or_else(|| corrupt(&format!("{column}: '{text}'")))
    };
    let count = |column: &str| {
        let number: i64 = row.try_get(column)?;
        u64::try_from(number).map_err(|_| corrupt(&format!("{column}: {number}")))
    };
    Ok(CachedImage {
        row: Some(row.try_get("id")?),
        image_id: id.parse().map_err(|_| corrupt("cached_images.image_id"))?,
        size: count("size")?,
        hits: count("hits")?,
        last_accessed: instant("last_accessed")?,
        last_modified: instant("last_modified")?,
        checksum: row.try_get("checksum")?,
    })
}

/// SQL has signed numbers only.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
