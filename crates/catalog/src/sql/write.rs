//! Writing images. Every function takes a transaction that holds the write lock, and ends it.

use std::collections::BTreeMap;

use image::{Event, Image, ImageId, Location, Status, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

use super::{read, rows, tags, time};
use crate::{Error, ImageChange, Result, Stored, Viewer};

pub(super) async fn create(mut db: Transaction<'_, Sqlite>, image: &Image) -> Result<()> {
    if read::status_of(&mut db, image.id).await?.is_some() {
        return Err(Error::Duplicate(image.id));
    }
    let created = time::to_text(image.created_at);
    sqlx::query(
        "INSERT INTO images (id, name, status, visibility, owner, disk_format, container_format, \
         size, min_disk, min_ram, protected, os_hidden, created_at, updated_at, deleted) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
    )
    .bind(image.id.to_string())
    .bind(&image.name)
    .bind(image.status.as_str())
    .bind(image.visibility.as_str())
    .bind(&image.owner)
    .bind(image.disk_format.map(|format| format.as_str()))
    .bind(image.container_format.map(|format| format.as_str()))
    .bind(image.size.map(column))
    .bind(image.min_disk)
    .bind(image.min_ram)
    .bind(image.protected)
    .bind(image.os_hidden)
    .bind(&created)
    .bind(&created)
    .execute(&mut *db)
    .await?;
    for (name, value) in &image.properties {
        set_property(&mut db, image.id, name, value, &created).await?;
    }
    for tag in &image.tags {
        tags::insert(&mut db, image.id, tag, &created).await?;
    }
    Ok(db.commit().await?)
}

pub(super) async fn update(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    change: &ImageChange,
) -> Result<Image> {
    let now = time::to_text(Timestamp::now());
    let changed = columns(id, change, &now).build().execute(&mut *db).await?;
    if changed.rows_affected() == 0 {
        return Err(Error::NotFound(id));
    }
    properties(&mut db, id, &change.properties, &now).await?;
    if let Some(tags) = &change.tags {
        tags::replace(&mut db, id, tags, &now).await?;
    }
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}

/// `UPDATE` of the columns that change.
fn columns(id: ImageId, change: &ImageChange, now: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("UPDATE images SET updated_at = ");
    query.push_bind(now.to_owned());
    let texts = [
        ("name", change.name.clone()),
        ("visibility", change.visibility.map(|v| Some(v.to_string()))),
        ("owner", change.owner.clone()),
        ("disk_format", change.disk_format.map(|f| f.map(|f| f.to_string()))),
        ("container_format", change.container_format.map(|f| f.map(|f| f.to_string()))),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            query.push(", ").push(column).push(" = ").push_bind(text);
        }
    }
    let numbers = [
        ("min_disk", change.min_disk),
        ("min_ram", change.min_ram),
        ("protected", change.protected.map(u32::from)),
        ("os_hidden", change.os_hidden.map(u32::from)),
    ];
    for (column, number) in numbers {
        if let Some(number) = number {
            query.push(", ").push(column).push(" = ").push_bind(number);
        }
    }
    query.push(" WHERE deleted = 0 AND id = ").push_bind(id.to_string());
    query
}

async fn properties(
    db: &mut SqliteConnection,
    id: ImageId,
    changes: &BTreeMap<String, Option<String>>,
    now: &str,
) -> Result<()> {
    for (name, value) in changes {
        match value {
            Some(value) => set_property(db, id, name, value, now).await?,
            None => {
                sqlx::query(
                    "UPDATE image_properties SET deleted = 1, deleted_at = ? \
                     WHERE image_id = ? AND name = ? AND deleted = 0",
                )
                .bind(now)
                .bind(id.to_string())
                .bind(name)
                .execute(&mut *db)
                .await?;
            }
        }
    }
    Ok(())
}

/// Sets a property. One that was removed is revived: the name is unique within the image, removed
/// or not.
async fn set_property(
    db: &mut SqliteConnection,
    id: ImageId,
    name: &str,
    value: &str,
    now: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO image_properties (image_id, name, value, created_at, updated_at, deleted) \
         VALUES (?, ?, ?, ?, ?, 0) \
         ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value, \
         updated_at = excluded.updated_at, deleted_at = NULL, deleted = 0",
    )
    .bind(id.to_string())
    .bind(name)
    .bind(value)
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn transition(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    event: Event,
) -> Result<Status> {
    let next = advance(&mut db, id, event).await?;
    if event == Event::Abandon {
        sqlx::query(
            "UPDATE images SET size = NULL, virtual_size = NULL, checksum = NULL, \
             os_hash_algo = NULL, os_hash_value = NULL WHERE id = ?",
        )
        .bind(id.to_string())
        .execute(&mut *db)
        .await?;
        mark_deleted(&mut db, "image_locations", id, &time::to_text(Timestamp::now())).await?;
    }
    db.commit().await?;
    Ok(next)
}

/// Moves the image to the state that follows the event. The write lock is held: nobody else moves
/// it between the look and the move.
async fn advance(db: &mut SqliteConnection, id: ImageId, event: Event) -> Result<Status> {
    let status = read::status_of(db, id).await?.filter(|status| *status != Status::Deleted);
    let status = status.ok_or(Error::NotFound(id))?;
    let next = status.next(event).map_err(|_| Error::Conflict { image: id, status })?;
    sqlx::query("UPDATE images SET status = ?, updated_at = ? WHERE id = ?")
        .bind(next.as_str())
        .bind(time::to_text(Timestamp::now()))
        .bind(id.to_string())
        .execute(db)
        .await?;
    Ok(next)
}

pub(super) async fn activate(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    stored: &Stored,
) -> Result<Image> {
    advance(&mut db, id, Event::Complete).await?;
    sqlx::query(
        "UPDATE images SET size = ?, virtual_size = ?, checksum = ?, os_hash_algo = ?, \
         os_hash_value = ? WHERE id = ?",
    )
    .bind(column(stored.size))
    .bind(stored.virtual_size.map(column))
    .bind(&stored.hashes.checksum)
    .bind(&stored.hashes.algorithm)
    .bind(&stored.hashes.value)
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    add_location(&mut db, id, &stored.location).await?;
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}

async fn add_location(db: &mut SqliteConnection, id: ImageId, location: &Location) -> Result<()> {
    let metadata = match &location.store {
        Some(store) => serde_json::json!({ "store": store }),
        None => serde_json::json!({}),
    };
    let now = time::to_text(Timestamp::now());
    sqlx::query(
        "INSERT INTO image_locations (image_id, value, meta_data, status, created_at, updated_at, \
         deleted) VALUES (?, ?, ?, 'active', ?, ?, 0)",
    )
    .bind(id.to_string())
    .bind(&location.uri)
    .bind(metadata.to_string())
    .bind(&now)
    .bind(&now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn delete(mut db: Transaction<'_, Sqlite>, id: ImageId) -> Result<Vec<Location>> {
    let protected: Option<bool> =
        sqlx::query_scalar("SELECT protected FROM images WHERE id = ? AND deleted = 0")
            .bind(id.to_string())
            .fetch_optional(&mut *db)
            .await?;
    if protected.ok_or(Error::NotFound(id))? {
        return Err(Error::Protected(id));
    }
    let found: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT value, meta_data FROM image_locations WHERE image_id = ? AND deleted = 0",
    )
    .bind(id.to_string())
    .fetch_all(&mut *db)
    .await?;
    let now = time::to_text(Timestamp::now());
    sqlx::query("UPDATE images SET status = 'deleted', deleted = 1, deleted_at = ?, updated_at = ? WHERE id = ?")
        .bind(&now)
        .bind(&now)
        .bind(id.to_string())
        .execute(&mut *db)
        .await?;
    for table in ["image_properties", "image_tags", "image_locations", "image_members"] {
        mark_deleted(&mut db, table, id, &now).await?;
    }
    db.commit().await?;
    Ok(found.into_iter().map(|(uri, metadata)| rows::location(uri, metadata.as_deref())).collect())
}

/// Marks an image's rows in one of the tables of its parts.
async fn mark_deleted(
    db: &mut SqliteConnection,
    table: &'static str,
    id: ImageId,
    now: &str,
) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new("UPDATE ");
    query.push(table).push(" SET deleted = 1, deleted_at = ").push_bind(now.to_owned());
    query.push(" WHERE deleted = 0 AND image_id = ").push_bind(id.to_string());
    query.build().execute(db).await?;
    Ok(())
}

/// A size as its column holds it. No store holds more than the column can say.
fn column(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
