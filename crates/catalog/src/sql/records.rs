//! Registering and changing images. Every function takes a transaction that holds the write lock,
//! and ends it.

use super::dialect::{Connection, Query, Transaction, Value, query};
use image::{Image, ImageId, Status, Timestamp};

use super::{locations, properties, read, tags};
use crate::{Error, ImageChange, Result, Viewer};

pub(super) async fn create(mut db: Transaction, image: &Image) -> Result<()> {
    insert(&mut db, image).await?;
    let created = image.created_at;
    properties::insert(&mut db, image.id, &image.properties, created).await?;
    tags::insert(&mut db, image.id, &image.tags, created).await?;
    for location in &image.locations {
        locations::insert(&mut db, image.id, location, created).await?;
    }
    Ok(db.commit().await?)
}

async fn insert(db: &mut Connection, image: &Image) -> Result<()> {
    let hashes = image.hashes.as_ref();
    let inserted = query(
        "INSERT INTO images (id, name, status, visibility, owner, disk_format, container_format, \
         size, virtual_size, checksum, os_hash_algo, os_hash_value, min_disk, min_ram, protected, \
         os_hidden, created_at, updated_at, deleted) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, FALSE)",
    )
    .bind(image.id.to_string())
    .bind(&image.name)
    .bind(image.status.as_str())
    .bind(image.visibility.as_str())
    .bind(&image.owner)
    .bind(image.disk_format.map(|format| format.as_str()))
    .bind(image.container_format.map(|format| format.as_str()))
    .bind(image.size.map(size_column))
    .bind(image.virtual_size.map(size_column))
    .bind(hashes.and_then(|hashes| hashes.checksum.as_ref()))
    .bind(hashes.map(|hashes| &hashes.algorithm))
    .bind(hashes.map(|hashes| &hashes.value))
    .bind(image.min_disk)
    .bind(image.min_ram)
    .bind(image.protected)
    .bind(image.os_hidden)
    .bind(image.created_at)
    .bind(image.updated_at)
    .execute(db)
    .await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(Error::Duplicate(image.id))
        }
        other => Ok(other.map(drop)?),
    }
}

/// A size as its column holds it. No store holds more than the column can say.
pub(super) fn size_column(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(super) async fn update(
    mut db: Transaction,
    id: ImageId,
    change: &ImageChange,
) -> Result<Image> {
    let now = Timestamp::now();
    let changed = columns(id, change, now).execute(&mut db).await?;
    if changed == 0 {
        return Err(unchanged(&mut db, id).await?);
    }
    properties::change(&mut db, id, &change.properties, now).await?;
    if let Some(tags) = &change.tags {
        tags::replace(&mut db, id, tags, now).await?;
    }
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}

/// Why no row was changed.
async fn unchanged(db: &mut Connection, id: ImageId) -> Result<Error> {
    Ok(match read::status_of(db, id).await? {
        None | Some(Status::Deleted | Status::PendingDelete) => Error::NotFound(id),
        Some(status) => Error::Conflict { image: id, status },
    })
}

/// `UPDATE` of the columns that change.
fn columns(id: ImageId, change: &ImageChange, now: Timestamp) -> Query {
    let mut query = Query::new("UPDATE images SET updated_at = ");
    query.push_bind(now);
    let texts = [
        ("name", change.name.clone()),
        ("visibility", change.visibility.map(|v| Some(v.to_string()))),
        ("owner", change.owner.clone()),
        ("disk_format", change.disk_format.map(|f| f.map(|f| f.to_string()))),
        ("container_format", change.container_format.map(|f| f.map(|f| f.to_string()))),
    ];
    let numbers = [("min_disk", change.min_disk), ("min_ram", change.min_ram)];
    let flags = [("protected", change.protected), ("os_hidden", change.os_hidden)];
    for (column, text) in texts {
        set(&mut query, column, text);
    }
    for (column, number) in numbers {
        set(&mut query, column, number);
    }
    for (column, flag) in flags {
        set(&mut query, column, flag);
    }
    query.push(" WHERE NOT deleted AND id = ").push_bind(id.to_string());
    if change.disk_format.is_some() || change.container_format.is_some() {
        query.push(" AND status IN ('queued', 'importing')");
    }
    query
}

fn set<T>(query: &mut Query, column: &'static str, value: Option<T>)
where
    Value: From<T>,
{
    if let Some(value) = value {
        query.push(", ").push(column).push(" = ").push_bind(value);
    }
}

/// Says that the image changed, where only rows that belong to it do. Errors: `NotFound`.
pub(super) async fn touch(db: &mut Connection, id: ImageId, now: Timestamp) -> Result<()> {
    let touched = query("UPDATE images SET updated_at = ? WHERE id = ? AND NOT deleted")
        .bind(now)
        .bind(id.to_string())
        .execute(db)
        .await?;
    if touched == 0 { Err(Error::NotFound(id)) } else { Ok(()) }
}

/// Keeps others from changing the image until the transaction ends, also on databases that lock
/// rows. Errors: `NotFound`.
pub(super) async fn hold(db: &mut Connection, id: ImageId) -> Result<()> {
    let held = query("UPDATE images SET status = status WHERE id = ? AND NOT deleted")
        .bind(id.to_string())
        .execute(db)
        .await?;
    if held == 0 { Err(Error::NotFound(id)) } else { Ok(()) }
}
