//! Who receives the bytes of which image: rows of `cached_images`, where Glance keeps what lies in
//! the caches of nodes.

use async_trait::async_trait;
use image::{Event, ImageId, Status, Timestamp};

use super::dialect::{Connection, Row, Transaction, query};
use super::{SqlCatalog, read, readable, states};
use crate::uploads::HOLDER;
use crate::{Error, Result, UnderWay, Upload, Uploads};

#[async_trait]
impl Uploads for SqlCatalog {
    async fn begin_upload(&self, node: i64, upload: &Upload, event: Event) -> Result<()> {
        change!(self, db => begin(db, node, upload, event))
    }

    async fn renew_uploads(&self, node: i64) -> Result<()> {
        change!(self, db => renew(db, node))
    }

    async fn uploads(&self) -> Result<Vec<UnderWay>> {
        under_way(&mut self.db.acquire().await?).await
    }

    async fn take_upload_over(&self, node: i64, seen: &UnderWay) -> Result<Upload> {
        change!(self, db => take_over(db, node, seen))
    }

    async fn end_upload(&self, upload: &Upload) -> Result<()> {
        change!(self, db => end(db, upload))
    }
}

async fn begin(mut db: Transaction, node: i64, upload: &Upload, event: Event) -> Result<()> {
    let now = Timestamp::now();
    let status = states::advance(&mut db, upload.image, event, now).await?;
    query(
        "INSERT INTO cached_images (image_id, last_accessed, last_modified, size, hits, checksum, \
         node_reference_id) VALUES (?, ?, ?, 0, 0, ?, ?)",
    )
    .bind(upload.image.to_string())
    .bind(now)
    .bind(now)
    .bind(&upload.key)
    .bind(node)
    .execute(&mut db)
    .await
    .map_err(|error| noted(error, upload.image, status))?;
    Ok(db.commit().await?)
}

/// An image that somebody has put back to `queued` by hand may still be noted for a moment.
fn noted(error: sqlx::Error, image: ImageId, status: Status) -> Error {
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => Error::Conflict { image, status },
        _ => error.into(),
    }
}

async fn renew(mut db: Transaction, node: i64) -> Result<()> {
    query("UPDATE cached_images SET last_accessed = ? WHERE node_reference_id = ?")
        .bind(Timestamp::now())
        .bind(node)
        .execute(&mut db)
        .await?;
    Ok(db.commit().await?)
}

async fn under_way(db: &mut Connection) -> Result<Vec<UnderWay>> {
    let rows = query(
        "SELECT c.image_id, c.checksum, c.last_accessed, n.node_reference_url \
         FROM node_reference n JOIN cached_images c ON c.node_reference_id = n.node_reference_id \
         WHERE n.node_reference_url LIKE ? AND c.checksum IS NOT NULL",
    )
    .bind(format!("{HOLDER}%"))
    .fetch_all(db)
    .await?;
    Ok(readable::all(&rows, one))
}

fn one(row: &Row) -> Result<UnderWay> {
    let id: String = row.try_get("image_id")?;
    let image = id.parse().map_err(|_| Error::Corrupt {
        image: id.clone(),
        what: "cached_images.image_id".to_owned(),
    })?;
    Ok(UnderWay {
        upload: Upload { image, key: row.try_get("checksum")? },
        holder: row.try_get("node_reference_url")?,
        renewed_at: row.try_get("last_accessed")?,
    })
}

async fn take_over(mut db: Transaction, node: i64, seen: &UnderWay) -> Result<Upload> {
    let taken = Upload::of(seen.upload.image);
    let changed = query(
        "UPDATE cached_images SET checksum = ?, last_accessed = ?, node_reference_id = ? \
         WHERE image_id = ? AND checksum = ? AND last_accessed = ?",
    )
    .bind(&taken.key)
    .bind(Timestamp::now())
    .bind(node)
    .bind(seen.upload.image.to_string())
    .bind(&seen.upload.key)
    .bind(seen.renewed_at)
    .execute(&mut db)
    .await?;
    held(changed, seen.upload.image)?;
    db.commit().await?;
    Ok(taken)
}

async fn end(mut db: Transaction, upload: &Upload) -> Result<()> {
    let now = Timestamp::now();
    let id = upload.image;
    release(&mut db, upload).await?;
    let status = read::status_of(&mut db, id).await?;
    if matches!(status, Some(Status::Saving | Status::Uploading)) {
        states::advance(&mut db, id, Event::Abandon, now).await?;
        states::forget_data(&mut db, id, now).await?;
    }
    Ok(db.commit().await?)
}

/// Gives the right to end an upload up, once: whoever does that has it alone. Errors: `UploadLost`.
pub(super) async fn release(db: &mut Connection, upload: &Upload) -> Result<()> {
    let released = query("DELETE FROM cached_images WHERE image_id = ? AND checksum = ?")
        .bind(upload.image.to_string())
        .bind(&upload.key)
        .execute(db)
        .await?;
    held(released, upload.image)
}

fn held(rows: u64, image: ImageId) -> Result<()> {
    if rows == 0 { Err(Error::UploadLost(image)) } else { Ok(()) }
}
