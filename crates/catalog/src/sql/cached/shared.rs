//! Glance's tables `cached_images` and `node_reference`.

use crate::sql::dialect::{Connection, Row, Transaction, query};
use async_trait::async_trait;
use image::ImageId;

use super::super::{SqlCatalog, readable};
use super::row;
use crate::uploads::HOLDER;
use crate::{CachedImage, Caches, Cause, Error, Result};

#[async_trait]
impl Caches for SqlCatalog {
    async fn node(&self, url: &str) -> Result<i64> {
        match change!(self, db => make_known(db, url)) {
            // Another service was quicker.
            Err(Error::Database(Cause::Database(error))) if is_taken(&error) => {
                change!(self, db => make_known(db, url))
            }
            made => made,
        }
    }

    async fn cached(&self, node: i64) -> Result<Vec<CachedImage>> {
        let rows = query(
            "SELECT id, image_id, last_accessed, last_modified, size, hits, checksum \
             FROM cached_images WHERE node_reference_id = ? ORDER BY id",
        )
        .bind(node)
        .fetch_all(&mut self.db.acquire().await?)
        .await?;
        Ok(readable::all(&rows, cached))
    }

    async fn put_cached(&self, node: i64, image: &CachedImage) -> Result<Option<i64>> {
        change!(self, db => put(db, node, image))
    }

    async fn remove_cached(&self, node: i64, id: ImageId) -> Result<()> {
        change!(self, db => remove(db, node, id))
    }

    async fn nodes_with(&self, id: ImageId) -> Result<Vec<String>> {
        let urls = query(
            "SELECT node_reference_url FROM node_reference JOIN cached_images \
             ON cached_images.node_reference_id = node_reference.node_reference_id \
             WHERE image_id = ? AND node_reference_url NOT LIKE ? ORDER BY node_reference_url",
        )
        .bind(id.to_string())
        .bind(format!("{HOLDER}%"))
        .column(&mut self.db.acquire().await?)
        .await?;
        Ok(urls)
    }
}

async fn make_known(mut db: Transaction, url: &str) -> Result<i64> {
    if let Some(node) = find(&mut db, url).await? {
        return Ok(node);
    }
    query("INSERT INTO node_reference (node_reference_url) VALUES (?)")
        .bind(url)
        .execute(&mut db)
        .await?;
    let node = find(&mut db, url).await?.ok_or(sqlx::Error::RowNotFound)?;
    db.commit().await?;
    Ok(node)
}

async fn find(db: &mut Connection, url: &str) -> Result<Option<i64>> {
    let sql = "SELECT node_reference_id FROM node_reference WHERE node_reference_url = ?";
    Ok(query(sql).bind(url).value(db).await?)
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|cause| cause.is_unique_violation())
}

async fn put(mut db: Transaction, node: i64, image: &CachedImage) -> Result<Option<i64>> {
    if !update(&mut db, node, image).await? {
        insert(&mut db, node, image).await?;
    }
    let row = query("SELECT id FROM cached_images WHERE image_id = ? AND node_reference_id = ?")
        .bind(image.image_id.to_string())
        .bind(node)
        .value(&mut db)
        .await?;
    db.commit().await?;
    Ok(row)
}

async fn remove(mut db: Transaction, node: i64, id: ImageId) -> Result<()> {
    query("DELETE FROM cached_images WHERE image_id = ? AND node_reference_id = ?")
        .bind(id.to_string())
        .bind(node)
        .execute(&mut db)
        .await?;
    Ok(db.commit().await?)
}

async fn update(db: &mut Connection, node: i64, image: &CachedImage) -> Result<bool> {
    let updated = query(
        "UPDATE cached_images SET last_accessed = ?, last_modified = ?, size = ?, hits = ?, \
         checksum = ? WHERE image_id = ? AND node_reference_id = ?",
    )
    .bind(image.last_accessed)
    .bind(image.last_modified)
    .bind(row::number(image.size))
    .bind(row::number(image.hits))
    .bind(&image.checksum)
    .bind(image.image_id.to_string())
    .bind(node)
    .execute(db)
    .await?;
    Ok(updated > 0)
}

async fn insert(db: &mut Connection, node: i64, image: &CachedImage) -> Result<()> {
    query(
        "INSERT INTO cached_images (image_id, last_accessed, last_modified, size, hits, checksum, \
         node_reference_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(image.image_id.to_string())
    .bind(image.last_accessed)
    .bind(image.last_modified)
    .bind(row::number(image.size))
    .bind(row::number(image.hits))
    .bind(&image.checksum)
    .bind(node)
    .execute(db)
    .await?;
    Ok(())
}

fn cached(row: &Row) -> Result<CachedImage> {
    let id = row.try_get("id")?;
    row::cached(row, Some(id), row.try_get("last_accessed")?, row.try_get("last_modified")?)
}
