//! Moving images from state to state, up to their deletion. Every public function takes a
//! transaction that holds the write lock, and ends it.

use super::dialect::{Connection, Transaction, query};
use image::{DataHashes, Event, Image, ImageId, Location, Status, Timestamp};

use super::records::size_column;
use super::{deletion, leftovers, locations, pending, read, rows, uploads, usage};
use crate::{Budget, Error, Leftover, Result, Stored, Viewer};

pub(super) async fn transition(mut db: Transaction, id: ImageId, event: Event) -> Result<Status> {
    let now = Timestamp::now();
    let next = match event {
        Event::Delete | Event::DeleteLater => {
            let found = look(&mut db, id).await?;
            remove(&mut db, id, &found, event, now).await?
        }
        event => advance(&mut db, id, event, now).await?,
    };
    match event {
        Event::Abandon => forget_data(&mut db, id, now).await?,
        Event::Restore => {
            pending::expect_untouched(&mut db, id).await?;
            deletion::unmark(&mut db, id, now).await?;
        }
        _ => {}
    }
    db.commit().await?;
    Ok(next)
}

pub(super) async fn delete(
    mut db: Transaction,
    id: ImageId,
    left: &[Leftover],
) -> Result<Vec<Location>> {
    // Nobody adds one from here on.
    let found = look(&mut db, id).await?;
    let locations = locations::all(&mut db, id).await?;
    remove(&mut db, id, &found, Event::Delete, Timestamp::now()).await?;
    leftovers::note(&mut db, left).await?;
    db.commit().await?;
    Ok(locations)
}

/// Moves the image to the state that follows its deletion, with all that belongs to it.
async fn remove(
    db: &mut Connection,
    id: ImageId,
    found: &Now,
    event: Event,
    now: Timestamp,
) -> Result<Status> {
    let next = found.next(id, event)?;
    deletion::mark(db, id, next, now).await?;
    Ok(next)
}

pub(super) async fn activate(
    mut db: Transaction,
    id: ImageId,
    stored: &Stored,
    budget: Option<&Budget>,
) -> Result<Image> {
    if let Some(upload) = &stored.upload {
        uploads::release(&mut db, upload).await?;
    }
    if let Some(budget) = budget {
        usage::expect_room(&mut db, budget, id, stored.size).await?;
    }
    let now = Timestamp::now();
    keep_data(&mut db, id, stored).await?;
    deletion::mark_locations(&mut db, id, Status::Deleted, now).await?;
    locations::insert(&mut db, id, &stored.location, now).await?;
    advance(&mut db, id, Event::Complete, now).await?;
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}

pub(super) async fn refuse(mut db: Transaction, id: ImageId, location: &Location) -> Result<()> {
    let now = Timestamp::now();
    advance(&mut db, id, Event::Abandon, now).await?;
    forget_data(&mut db, id, now).await?;
    locations::insert(&mut db, id, location, now).await?;
    Ok(db.commit().await?)
}

/// What is known of an image whose state is to change.
struct Now {
    status: Status,
    protected: bool,
    has_size: bool,
}

impl Now {
    /// The state that follows the event. Errors: `Conflict`, `Protected`.
    fn next(&self, id: ImageId, event: Event) -> Result<Status> {
        let conflict = || Error::Conflict { image: id, status: self.status };
        let next = self.status.next(event).map_err(|_| conflict())?;
        if self.protected && matches!(event, Event::Delete | Event::DeleteLater) {
            return Err(Error::Protected(id));
        }
        // What became active before, in whatever way, does again.
        if event == Event::Complete && !self.has_size {
            return Err(conflict());
        }
        Ok(next)
    }
}

/// Moves the image to the state that follows the event. The condition on the state that was read
/// lets one of two win that race, also on databases without one lock for all.
pub(super) async fn advance(
    db: &mut Connection,
    id: ImageId,
    event: Event,
    now: Timestamp,
) -> Result<Status> {
    let found = look(db, id).await?;
    let next = found.next(id, event)?;
    let status = found.status;
    let moved = query("UPDATE images SET status = ?, updated_at = ? WHERE id = ? AND status = ?")
        .bind(next.as_str())
        .bind(now)
        .bind(id.to_string())
        .bind(status.as_str())
        .execute(db)
        .await?;
    if moved == 0 { Err(Error::Conflict { image: id, status }) } else { Ok(next) }
}

/// An image that is deleted is gone, unless its deletion is to follow later.
async fn look(db: &mut Connection, id: ImageId) -> Result<Now> {
    let row = query(
        "SELECT status, protected, size IS NOT NULL AS has_size FROM images \
         WHERE id = ? AND (NOT deleted OR status = 'pending_delete'){for update}",
    )
    .bind(id.to_string())
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound(id))?;
    Ok(Now {
        status: rows::status(id, row.try_get("status")?)?,
        protected: row.try_get("protected")?,
        has_size: row.try_get("has_size")?,
    })
}

pub(super) async fn forget_data(db: &mut Connection, id: ImageId, now: Timestamp) -> Result<()> {
    query(
        "UPDATE images SET size = NULL, virtual_size = NULL, checksum = NULL, \
         os_hash_algo = NULL, os_hash_value = NULL WHERE id = ?",
    )
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    deletion::mark_locations(db, id, Status::Deleted, now).await
}

async fn keep_data(db: &mut Connection, id: ImageId, stored: &Stored) -> Result<()> {
    let hashes = stored.hashes.as_ref();
    let kept = query(
        "UPDATE images SET size = ?, virtual_size = ?, checksum = ?, os_hash_algo = ?, \
         os_hash_value = ? WHERE id = ? AND NOT deleted",
    )
    .bind(size_column(stored.size))
    .bind(stored.virtual_size.map(size_column))
    .bind(hashes.and_then(|hashes| hashes.checksum.as_ref()))
    .bind(hashes.map(|hashes| &hashes.algorithm))
    .bind(hashes.map(|hashes| &hashes.value))
    .bind(id.to_string())
    .execute(db)
    .await?;
    if kept == 0 { Err(Error::NotFound(id)) } else { Ok(()) }
}

pub(super) async fn set_hashes(
    mut db: Transaction,
    id: ImageId,
    hashes: &DataHashes,
) -> Result<()> {
    let set = query(
        "UPDATE images SET checksum = ?, os_hash_algo = ?, os_hash_value = ?, updated_at = ? \
         WHERE id = ? AND NOT deleted",
    )
    .bind(&hashes.checksum)
    .bind(&hashes.algorithm)
    .bind(&hashes.value)
    .bind(Timestamp::now())
    .bind(id.to_string())
    .execute(&mut db)
    .await?;
    if set == 0 {
        return Err(Error::NotFound(id));
    }
    Ok(db.commit().await?)
}
