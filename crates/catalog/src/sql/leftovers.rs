//! What may be left in stores: rows of `cached_images`, where Glance keeps what lies in the caches of
//! nodes. Their size is the note's key; they have no checksum, as uploads have.

use async_trait::async_trait;
use image::{ImageId, Timestamp};

use super::cached::{is_taken, number};
use super::dialect::{Row, Transaction, query};
use super::{SqlCatalog, readable};
use crate::leftovers::place;
use crate::{CachedImage, Caches, Cause, Error, Leftover, Leftovers, Result};

#[async_trait]
impl Leftovers for SqlCatalog {
    async fn note_leftover(&self, image: ImageId, store: &str) -> Result<()> {
        let (node, now) = (self.node(&place(store)).await?, Timestamp::now());
        let note = CachedImage {
            row: None,
            image_id: image,
            size: Leftover::of(image, store).key,
            hits: 0,
            last_accessed: now,
            last_modified: now,
            checksum: None,
        };
        let noted = match self.put_cached(node, &note).await {
            // Somebody else has noted it at the same moment.
            Err(Error::Database(Cause::Database(error))) if is_taken(&error) => {
                self.put_cached(node, &note).await
            }
            noted => noted,
        };
        noted.map(drop)
    }

    async fn leftovers(&self, store: &str) -> Result<Vec<Leftover>> {
        let rows = query(
            "SELECT c.image_id, c.size FROM node_reference n \
             JOIN cached_images c ON c.node_reference_id = n.node_reference_id \
             WHERE n.node_reference_url = ? ORDER BY c.id",
        )
        .bind(place(store))
        .fetch_all(&mut self.db.acquire().await?)
        .await?;
        Ok(readable::all(&rows, |row| one(row, store)))
    }

    async fn forget_leftover(&self, seen: &Leftover) -> Result<()> {
        change!(self, db => forget(db, seen))
    }
}

fn one(row: &Row, store: &str) -> Result<Leftover> {
    let id: String = row.try_get("image_id")?;
    let corrupt = |what: &str| Error::Corrupt { image: id.clone(), what: what.to_owned() };
    let key: i64 = row.try_get("size")?;
    Ok(Leftover {
        image: id.parse().map_err(|_| corrupt("cached_images.image_id"))?,
        store: store.to_owned(),
        key: u64::try_from(key).map_err(|_| corrupt("cached_images.size"))?,
    })
}

async fn forget(mut db: Transaction, seen: &Leftover) -> Result<()> {
    query(
        "DELETE FROM cached_images WHERE image_id = ? AND size = ? AND node_reference_id IN \
         (SELECT node_reference_id FROM node_reference WHERE node_reference_url = ?)",
    )
    .bind(seen.image.to_string())
    .bind(number(seen.key))
    .bind(place(&seen.store))
    .execute(&mut db)
    .await?;
    Ok(db.commit().await?)
}
