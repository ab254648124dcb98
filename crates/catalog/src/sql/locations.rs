//! Locations. A removed location's row stays, marked deleted. The public functions that take a
//! transaction, which holds the write lock, end it.

use image::{Image, ImageId, Location, Status, Timestamp};
use serde_json::{Map, Value};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{read, records, time};
use crate::{Error, Result, Viewer};

/// A location of a row, with what its metadata says.
pub(super) fn read(uri: String, metadata: Option<&str>) -> Location {
    let metadata = metadata.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    Location::described(uri, metadata.unwrap_or_default())
}

/// All that may hold bytes of the image, also where a deletion is to follow later.
pub(super) async fn all(db: &mut SqliteConnection, id: ImageId) -> Result<Vec<Location>> {
    let found: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT value, meta_data FROM image_locations \
         WHERE image_id = ? AND (NOT deleted OR status = 'pending_delete') ORDER BY id",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().map(|(uri, metadata)| read(uri, metadata.as_deref())).collect())
}

pub(super) async fn insert(
    db: &mut SqliteConnection,
    id: ImageId,
    location: &Location,
    now: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO image_locations (image_id, value, meta_data, status, created_at, updated_at, \
         deleted) VALUES (?, ?, ?, 'active', ?, ?, FALSE)",
    )
    .bind(id.to_string())
    .bind(&location.uri)
    .bind(metadata(location))
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn add(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    location: &Location,
) -> Result<Image> {
    let now = time::to_text(Timestamp::now());
    records::touch(&mut db, id, &now).await?;
    expect_active(&mut db, id).await?;
    if rows(&mut db, id).await?.iter().any(|(_, known)| known == location) {
        return Err(Error::DuplicateLocation { image: id, uri: location.uri.clone() });
    }
    insert(&mut db, id, location, &now).await?;
    finish(db, id).await
}

pub(super) async fn remove(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    location: &Location,
) -> Result<Image> {
    let now = time::to_text(Timestamp::now());
    records::touch(&mut db, id, &now).await?;
    expect_active(&mut db, id).await?;
    let rows = rows(&mut db, id).await?;
    let row = find(id, &rows, location)?;
    if rows.len() == 1 {
        return Err(Error::LastLocation(id));
    }
    sqlx::query(
        "UPDATE image_locations SET deleted = TRUE, status = 'deleted', deleted_at = ?, \
         updated_at = ? WHERE id = ?",
    )
    .bind(&now)
    .bind(&now)
    .bind(row)
    .execute(&mut *db)
    .await?;
    finish(db, id).await
}

pub(super) async fn describe(
    mut db: Transaction<'_, Sqlite>,
    id: ImageId,
    before: &Location,
    after: &Location,
) -> Result<Image> {
    let now = time::to_text(Timestamp::now());
    records::touch(&mut db, id, &now).await?;
    let row = find(id, &rows(&mut db, id).await?, before)?;
    sqlx::query("UPDATE image_locations SET meta_data = ?, updated_at = ? WHERE id = ?")
        .bind(metadata(after))
        .bind(&now)
        .bind(row)
        .execute(&mut *db)
        .await?;
    finish(db, id).await
}

fn metadata(location: &Location) -> String {
    Value::Object(location.description()).to_string()
}

/// The rows that count, with their ids.
async fn rows(db: &mut SqliteConnection, id: ImageId) -> Result<Vec<(i64, Location)>> {
    let found: Vec<(i64, String, Option<String>)> = sqlx::query_as(
        "SELECT id, value, meta_data FROM image_locations \
         WHERE image_id = ? AND NOT deleted AND status = 'active' ORDER BY id",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    let row = |(row, uri, metadata): (_, _, Option<String>)| (row, read(uri, metadata.as_deref()));
    Ok(found.into_iter().map(row).collect())
}

/// The row of a location. Its store may have been found out rather than read, so the URI decides
/// where there is only one row with it.
fn find(id: ImageId, rows: &[(i64, Location)], location: &Location) -> Result<i64> {
    let exact = rows.iter().find(|(_, known)| known == location);
    let same = exact.or_else(|| {
        let mut same = rows.iter().filter(|(_, known)| known.uri == location.uri);
        same.next().filter(|_| same.next().is_none())
    });
    same.map(|(row, _)| *row)
        .ok_or_else(|| Error::LocationNotFound { image: id, uri: location.uri.clone() })
}

async fn expect_active(db: &mut SqliteConnection, id: ImageId) -> Result<()> {
    match read::status_of(db, id).await? {
        Some(Status::Active) => Ok(()),
        Some(status) => Err(Error::Conflict { image: id, status }),
        None => Err(Error::NotFound(id)),
    }
}

async fn finish(mut db: Transaction<'_, Sqlite>, id: ImageId) -> Result<Image> {
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}
