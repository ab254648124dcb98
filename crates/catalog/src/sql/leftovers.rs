//! What may be left in stores: rows of `cached_images`, where Glance keeps what lies in the caches of
//! nodes. Their size is the note's key, their hits say whether somebody removes it already; they have no
//! checksum, as uploads have.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use image::{ImageId, Timestamp};

use super::cached::number;
use super::dialect::{Connection, Row, Transaction, query};
use super::{SqlCatalog, readable};
use crate::leftovers::place;
use crate::{Caches, Error, Leftover, Leftovers, Result};

#[async_trait]
impl Leftovers for SqlCatalog {
    async fn note_leftover(&self, image: ImageId, store: &str) -> Result<()> {
        let left = [Leftover::of(image, store)];
        self.know_places(&left).await?;
        change!(self, db => note_alone(db, &left))
    }

    async fn leftovers(&self, store: &str) -> Result<Vec<Leftover>> {
        let rows = query(
            "SELECT c.image_id, c.size, c.hits > 0 AS is_going FROM node_reference n \
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

/// The stores that have a node, as far as that is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashSet<String>>>);

impl SqlCatalog {
    /// Sees to it that each of the stores has a node, once: it stays.
    pub(super) async fn know_places(&self, left: &[Leftover]) -> Result<()> {
        let known = || self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Leftover { store, .. } in left {
            if !known().contains(store) {
                self.node(&place(store)).await?;
                known().insert(store.clone());
            }
        }
        Ok(())
    }
}

async fn note_alone(mut db: Transaction, left: &[Leftover]) -> Result<()> {
    note(&mut db, left).await?;
    Ok(db.commit().await?)
}

/// Notes what is left in stores that have a node; what is noted already gets these keys.
pub(super) async fn note(db: &mut Connection, left: &[Leftover]) -> Result<()> {
    let now = Timestamp::now();
    for left in left {
        let noted = query(
            "INSERT INTO cached_images (image_id, last_accessed, last_modified, size, hits, \
             node_reference_id) SELECT ?, ?, ?, ?, ?, node_reference_id FROM node_reference \
             WHERE node_reference_url = ?{noted again}",
        )
        .bind(left.image.to_string())
        .bind(now)
        .bind(now)
        .bind(number(left.key))
        .bind(i64::from(left.is_going))
        .bind(place(&left.store))
        .execute(&mut *db)
        .await?;
        if noted == 0 {
            return Err(sqlx::Error::RowNotFound.into());
        }
    }
    Ok(())
}

fn one(row: &Row, store: &str) -> Result<Leftover> {
    let id: String = row.try_get("image_id")?;
    let corrupt = |what: &str| Error::Corrupt { image: id.clone(), what: what.to_owned() };
    let key: i64 = row.try_get("size")?;
    Ok(Leftover {
        image: id.parse().map_err(|_| corrupt("cached_images.image_id"))?,
        store: store.to_owned(),
        key: u64::try_from(key).map_err(|_| corrupt("cached_images.size"))?,
        is_going: row.try_get("is_going")?,
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
