//! Locations. A removed location's row stays, marked deleted. The public functions that take a
//! transaction, which holds the write lock, end it.

use std::slice;

use super::dialect::{Connection, Row, Transaction, query};
use image::{Image, ImageId, Location, Status, Timestamp};
use serde_json::{Map, Value};

use super::sealed::{Urls, is_sealed};
use super::{leftovers, read, records};
use crate::{Error, Removal, Result, Viewer};

/// A location of a row, with what its metadata says.
pub(super) fn read(urls: &Urls, value: String, metadata: Option<&str>) -> Location {
    let metadata = metadata.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    Location::described(urls.read(value), metadata.unwrap_or_default())
}

/// The location of a row with `value` and `meta_data`.
fn of_row(urls: &Urls, row: &Row) -> Result<Location> {
    Ok(read(urls, row.try_get("value")?, row.try_get("meta_data")?))
}

/// The locations of an image whose bytes are to go. Errors: `SealedLocation` where one of them
/// can't be told: a row that is marked deleted would never be looked at again.
pub(super) fn to_erase(urls: &Urls, id: ImageId, rows: &[Row]) -> Result<Vec<Location>> {
    let locations: Vec<_> = rows.iter().map(|row| of_row(urls, row)).collect::<Result<_>>()?;
    locations.iter().try_for_each(|location| expect_open(id, location))?;
    Ok(locations)
}

fn expect_open(id: ImageId, location: &Location) -> Result<()> {
    match is_sealed(&location.uri) {
        true => Err(Error::SealedLocation(id)),
        false => Ok(()),
    }
}

/// All that may hold bytes of the image, also where a deletion is to follow later.
pub(super) async fn all(db: &mut Connection, id: ImageId) -> Result<Vec<Location>> {
    let found = query(
        "SELECT value, meta_data FROM image_locations \
         WHERE image_id = ? AND (NOT deleted OR status = 'pending_delete') ORDER BY id",
    )
    .bind(id.to_string())
    .fetch_all(&mut *db)
    .await?;
    to_erase(db.urls(), id, &found)
}

pub(super) async fn insert(
    db: &mut Connection,
    id: ImageId,
    location: &Location,
    now: Timestamp,
) -> Result<()> {
    query(
        "INSERT INTO image_locations (image_id, value, meta_data, status, created_at, updated_at, \
         deleted) VALUES (?, ?, ?, 'active', ?, ?, FALSE)",
    )
    .bind(id.to_string())
    .bind(db.urls().written(&location.uri).map_err(|error| Error::Encryption(error.into()))?)
    .bind(metadata(location))
    .bind(now)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn add(mut db: Transaction, id: ImageId, location: &Location) -> Result<Image> {
    let now = Timestamp::now();
    records::touch(&mut db, id, now).await?;
    expect_active(&mut db, id).await?;
    if rows(&mut db, id).await?.iter().any(|(_, known)| known == location) {
        return Err(Error::DuplicateLocation { image: id, uri: location.uri.clone() });
    }
    insert(&mut db, id, location, now).await?;
    finish(db, id).await
}

pub(super) async fn remove(
    mut db: Transaction,
    id: ImageId,
    location: &Location,
    removal: &Removal,
) -> Result<Image> {
    let now = Timestamp::now();
    records::touch(&mut db, id, now).await?;
    expect_active(&mut db, id).await?;
    let rows = rows(&mut db, id).await?;
    let row = find(id, &rows, location)?;
    expect_open(id, location)?;
    if rows.len() == 1 {
        return Err(Error::LastLocation(id));
    }
    let status = match removal {
        Removal::Now(_) => Status::Deleted,
        Removal::Later => Status::PendingDelete,
    };
    query(
        "UPDATE image_locations SET deleted = TRUE, status = ?, deleted_at = ?, updated_at = ? \
         WHERE id = ?",
    )
    .bind(status.as_str())
    .bind(now)
    .bind(now)
    .bind(row)
    .execute(&mut db)
    .await?;
    if let Removal::Now(Some(left)) = removal {
        leftovers::note(&mut db, slice::from_ref(left)).await?;
    }
    finish(db, id).await
}

pub(super) async fn describe(
    mut db: Transaction,
    id: ImageId,
    before: &Location,
    after: &Location,
) -> Result<Image> {
    let now = Timestamp::now();
    records::touch(&mut db, id, now).await?;
    let row = find(id, &rows(&mut db, id).await?, before)?;
    query("UPDATE image_locations SET meta_data = ?, updated_at = ? WHERE id = ?")
        .bind(metadata(after))
        .bind(now)
        .bind(row)
        .execute(&mut db)
        .await?;
    finish(db, id).await
}

fn metadata(location: &Location) -> String {
    Value::Object(location.description()).to_string()
}

/// The rows that count, with their ids.
async fn rows(db: &mut Connection, id: ImageId) -> Result<Vec<(i64, Location)>> {
    let found = query(
        "SELECT id, value, meta_data FROM image_locations \
         WHERE image_id = ? AND NOT deleted AND status = 'active' ORDER BY id",
    )
    .bind(id.to_string())
    .fetch_all(&mut *db)
    .await?;
    let urls = db.urls();
    found.iter().map(|row| Ok((row.try_get("id")?, of_row(urls, row)?))).collect()
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

async fn expect_active(db: &mut Connection, id: ImageId) -> Result<()> {
    match read::status_of(db, id).await? {
        Some(Status::Active) => Ok(()),
        Some(status) => Err(Error::Conflict { image: id, status }),
        None => Err(Error::NotFound(id)),
    }
}

async fn finish(mut db: Transaction, id: ImageId) -> Result<Image> {
    let image = read::get(&mut db, &Viewer::service(), id).await?;
    db.commit().await?;
    Ok(image)
}
