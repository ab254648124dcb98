//! The records' part of imports.

use super::dialect::{Connection, Row, Transaction, query};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use image::{ContainerFormat, DiskFormat, Event, ImageId, Status, TaskId, Timestamp};
use serde_json::json;

use super::records::{hold, size_column};
use super::tasks::{self, Now};
use super::{SqlCatalog, deletion, locations, properties, rows, states, uploads, usage};
use crate::{
    Budget, Effect, Ending, Error, FAILED, IMPORTING, ImportStart, Imported, ImportedData, Imports,
    LOCK, Lease, Result, STAGE_HOST, Upload,
};

/// Properties to set, or to remove.
type Changes = BTreeMap<String, Option<String>>;

#[async_trait]
impl Imports for SqlCatalog {
    async fn begin_import(&self, image: ImageId, start: &ImportStart) -> Result<()> {
        change!(self, db => begin(db, image, start))
    }

    async fn finish_import(
        &self,
        lease: &Lease,
        image: ImageId,
        imported: &Imported,
        budget: Option<&Budget>,
        keep: Duration,
    ) -> Result<()> {
        change!(self, db => finish(db, lease, image, imported, budget, Now::keeping(keep)))
    }

    async fn abandon_import(
        &self,
        lease: &Lease,
        image: ImageId,
        stores: &[String],
        why: &str,
        keep: Duration,
    ) -> Result<()> {
        let ending = Ending::Failure(why.to_owned());
        change!(self, db => abandon(db, lease, image, stores, &ending, Now::keeping(keep)))
    }

    async fn end_attachment(
        &self,
        lease: &Lease,
        image: ImageId,
        ending: &Ending,
        keep: Duration,
    ) -> Result<()> {
        change!(self, db => detach(db, lease, image, ending, Now::keeping(keep)))
    }

    async fn staged(&self, upload: &Upload, size: u64, host: Option<&str>) -> Result<()> {
        change!(self, db => staged(db, upload, size, host))
    }
}

async fn begin(mut db: Transaction, id: ImageId, start: &ImportStart) -> Result<()> {
    let now = start.task.created_at;
    hold(&mut db, id).await?;
    let known = known(&mut db, id).await?;
    if let Some(task) = known.get(LOCK) {
        let stale = start.preempts.map(|stale| stale.to_string());
        if stale.as_ref() != Some(task) {
            return Err(Error::ImportLocked { image: id, task: task.clone() });
        }
        preempt(&mut db, task, now).await?;
    }
    match start.effect {
        Effect::Fills => drop(states::advance(&mut db, id, Event::BeginImport, now).await?),
        Effect::Copies => {}
        Effect::Attaches => expect_queued(&mut db, id).await?,
    }
    tasks::insert(&mut db, &start.task).await?;
    let mut changes = Changes::from([(LOCK.to_owned(), Some(start.task.id.to_string()))]);
    if start.effect != Effect::Attaches {
        changes.extend([
            (IMPORTING.to_owned(), Some(with(known.get(IMPORTING), &start.stores))),
            (FAILED.to_owned(), Some(without(known.get(FAILED), &start.stores))),
            (STAGE_HOST.to_owned(), None),
        ]);
    }
    properties::change(&mut db, id, &changes, now).await?;
    Ok(db.commit().await?)
}

async fn expect_queued(db: &mut Connection, id: ImageId) -> Result<()> {
    match status(db, id).await? {
        Status::Queued => Ok(()),
        status => Err(Error::Conflict { image: id, status }),
    }
}

/// Ends a task whose lock is taken away, in Glance's words.
async fn preempt(db: &mut Connection, task: &str, now: Timestamp) -> Result<()> {
    let ended = query(
        "UPDATE tasks SET status = 'failure', updated_at = ? \
         WHERE id = ? AND status IN ('pending', 'processing')",
    )
    .bind(now)
    .bind(task)
    .execute(&mut *db)
    .await?;
    if ended > 0 {
        query("UPDATE task_info SET message = 'Expired lock preempted' WHERE task_id = ?")
            .bind(task)
            .execute(db)
            .await?;
    }
    Ok(())
}

async fn finish(
    mut db: Transaction,
    lease: &Lease,
    id: ImageId,
    imported: &Imported,
    budget: Option<&Budget>,
    now: Now,
) -> Result<()> {
    let text = now.now;
    tasks::end(&mut db, lease, &Ending::Success(json!({ "image_id": id })), now).await?;
    if let Some(budget) = budget {
        let size = size(&mut db, id, imported).await?;
        usage::expect_room(&mut db, budget, id, size).await?;
    }
    hold(&mut db, id).await?;
    let known = known(&mut db, id).await?;
    expect_lock(id, known.get(LOCK), lease.task)?;
    if imported.data.is_some() {
        deletion::mark_locations(&mut db, id, Status::Deleted, text).await?;
    }
    for location in &imported.locations {
        locations::insert(&mut db, id, location, text).await?;
    }
    if let Some(data) = &imported.data {
        keep_data(&mut db, id, data).await?;
        states::advance(&mut db, id, Event::Complete, text).await?;
    }
    let mut changes = Changes::from([
        (LOCK.to_owned(), None),
        (IMPORTING.to_owned(), Some(without(known.get(IMPORTING), &imported.stores))),
        (FAILED.to_owned(), Some(with(known.get(FAILED), &imported.failed))),
    ]);
    let given = &imported.properties;
    changes.extend(given.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
    properties::change(&mut db, id, &changes, text).await?;
    Ok(db.commit().await?)
}

async fn abandon(
    mut db: Transaction,
    lease: &Lease,
    id: ImageId,
    stores: &[String],
    ending: &Ending,
    now: Now,
) -> Result<()> {
    tasks::end(&mut db, lease, ending, now).await?;
    restore(&mut db, lease.task, id, stores, now.now).await?;
    Ok(db.commit().await?)
}

/// Bytes of what was imported; of a copy, those that the image has.
async fn size(db: &mut Connection, id: ImageId, imported: &Imported) -> Result<u64> {
    if let Some(data) = &imported.data {
        return Ok(data.size);
    }
    let row = query("SELECT size FROM images WHERE id = ? AND NOT deleted")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?
        .ok_or(Error::NotFound(id))?;
    let size: Option<i64> = row.try_get("size")?;
    Ok(size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default())
}

async fn detach(
    mut db: Transaction,
    lease: &Lease,
    id: ImageId,
    ending: &Ending,
    now: Now,
) -> Result<()> {
    let text = now.now;
    tasks::end(&mut db, lease, ending, now).await?;
    if held(&mut db, id, lease.task).await?.is_some() {
        let changes = Changes::from([(LOCK.to_owned(), None)]);
        properties::change(&mut db, id, &changes, text).await?;
    }
    Ok(db.commit().await?)
}

/// What an image that a task has locked says of imports; `None` where the image was deleted, or is
/// not this task's any more.
async fn held(
    db: &mut Connection,
    id: ImageId,
    task: TaskId,
) -> Result<Option<BTreeMap<String, String>>> {
    match hold(db, id).await {
        Err(Error::NotFound(_)) => return Ok(None),
        held => held?,
    }
    let known = known(db, id).await?;
    Ok(expect_lock(id, known.get(LOCK), task).is_ok().then_some(known))
}

/// As it was before the import; what is not ours any more stays.
async fn restore(
    db: &mut Connection,
    task: TaskId,
    id: ImageId,
    stores: &[String],
    now: Timestamp,
) -> Result<()> {
    let Some(known) = held(db, id, task).await? else { return Ok(()) };
    if status(db, id).await? == Status::Importing {
        states::advance(db, id, Event::Abandon, now).await?;
        states::forget_data(db, id, now).await?;
    }
    let changes = Changes::from([
        (LOCK.to_owned(), None),
        (IMPORTING.to_owned(), Some(without(known.get(IMPORTING), stores))),
        (FAILED.to_owned(), Some(with(known.get(FAILED), stores))),
    ]);
    properties::change(db, id, &changes, now).await
}

async fn staged(mut db: Transaction, upload: &Upload, size: u64, host: Option<&str>) -> Result<()> {
    let (id, now) = (upload.image, Timestamp::now());
    uploads::release(&mut db, upload).await?;
    let kept = query(
        "UPDATE images SET size = ?, updated_at = ? \
         WHERE id = ? AND status = 'uploading' AND NOT deleted",
    )
    .bind(size_column(size))
    .bind(now)
    .bind(id.to_string())
    .execute(&mut db)
    .await?;
    if kept == 0 {
        hold(&mut db, id).await?;
        return Err(Error::Conflict { image: id, status: status(&mut db, id).await? });
    }
    let changes = Changes::from([(STAGE_HOST.to_owned(), host.map(str::to_owned))]);
    properties::change(&mut db, id, &changes, now).await?;
    Ok(db.commit().await?)
}

/// What the image's own properties say of imports.
async fn known(db: &mut Connection, id: ImageId) -> Result<BTreeMap<String, String>> {
    let found = query(
        "SELECT name, value FROM image_properties \
         WHERE image_id = ? AND NOT deleted AND name IN (?, ?, ?)",
    )
    .bind(id.to_string())
    .bind(LOCK)
    .bind(IMPORTING)
    .bind(FAILED)
    .fetch_all(db)
    .await?;
    let known = |row: &Row| -> Result<_> {
        Ok((row.try_get("name")?, row.try_get::<Option<String>>("value")?.unwrap_or_default()))
    };
    found.iter().map(known).collect()
}

fn expect_lock(image: ImageId, lock: Option<&String>, task: TaskId) -> Result<()> {
    match lock {
        Some(holder) if *holder == task.to_string() => Ok(()),
        other => Err(Error::ImportLocked { image, task: other.cloned().unwrap_or_default() }),
    }
}

async fn status(db: &mut Connection, id: ImageId) -> Result<Status> {
    let column: String =
        query("SELECT status FROM images WHERE id = ?").bind(id.to_string()).only(db).await?;
    rows::status(id, &column)
}

async fn keep_data(db: &mut Connection, id: ImageId, data: &ImportedData) -> Result<()> {
    let (disk, container) = data.formats.unzip();
    query(
        "UPDATE images SET size = ?, virtual_size = ?, checksum = ?, os_hash_algo = ?, \
         os_hash_value = ?, disk_format = COALESCE(?, disk_format), \
         container_format = COALESCE(?, container_format) WHERE id = ?",
    )
    .bind(size_column(data.size))
    .bind(data.virtual_size.map(size_column))
    .bind(&data.hashes.checksum)
    .bind(&data.hashes.algorithm)
    .bind(&data.hashes.value)
    .bind(disk.map(DiskFormat::as_str))
    .bind(container.map(ContainerFormat::as_str))
    .bind(id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// A list of stores, as these properties hold it, and more of them.
fn with(list: Option<&String>, stores: &[String]) -> String {
    let mut names = names(list);
    names.extend(stores.iter().map(String::as_str));
    joined(&names)
}

/// The same without some.
fn without(list: Option<&String>, stores: &[String]) -> String {
    let mut names = names(list);
    names.retain(|name| !stores.iter().any(|store| store == name));
    joined(&names)
}

fn names(list: Option<&String>) -> BTreeSet<&str> {
    list.map_or("", String::as_str).split(',').filter(|name| !name.is_empty()).collect()
}

fn joined(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(",")
}
