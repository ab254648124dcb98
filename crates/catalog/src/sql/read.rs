//! Reading images.

use image::{Image, ImageId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{filters, order, rows, visibility};
use crate::{Error, ListQuery, Result, Viewer};

/// One image, in two queries.
pub(super) async fn get(db: &mut SqliteConnection, viewer: &Viewer, id: ImageId) -> Result<Image> {
    let mut query = select();
    query.push(" AND images.id = ").push_bind(id.to_string());
    visibility::by_id(&mut query, viewer);
    let row = query.build().fetch_optional(&mut *db).await?.ok_or(Error::NotFound(id))?;
    let mut images = [rows::image(&row)?];
    rows::add_parts(db, &mut images).await?;
    let [image] = images;
    Ok(image)
}

/// A page of images, in two queries; three where there is a marker.
pub(super) async fn list(
    db: &mut SqliteConnection,
    viewer: &Viewer,
    list: &ListQuery,
) -> Result<Vec<Image>> {
    let order = order::complete(list);
    let mut query = select();
    visibility::in_list(&mut query, viewer, list);
    filters::add(&mut query, list);
    if let Some(id) = list.marker {
        order::after(&mut query, &order, &marker(db, viewer, id).await?);
    }
    order::add(&mut query, &order);
    query.push(" LIMIT ").push_bind(list.limit);
    let found = query.build().fetch_all(&mut *db).await?;
    let mut images: Vec<_> = found.iter().filter_map(|row| readable(rows::image(row))).collect();
    rows::add_parts(db, &mut images).await?;
    Ok(images)
}

fn select() -> QueryBuilder<Sqlite> {
    QueryBuilder::new(format!("SELECT {} FROM images WHERE images.deleted = 0", rows::COLUMNS))
}

/// The image that a page begins after; of it, only what rows are compared by.
async fn marker(db: &mut SqliteConnection, viewer: &Viewer, id: ImageId) -> Result<Image> {
    let mut query = select();
    query.push(" AND images.id = ").push_bind(id.to_string());
    visibility::by_id(&mut query, viewer);
    let row = query.build().fetch_optional(db).await?;
    row.map_or_else(|| Err(Error::BadMarker(id.to_string())), |row| rows::image(&row))
}

/// One unreadable row must not take the whole list away.
fn readable(image: Result<Image>) -> Option<Image> {
    image.inspect_err(|error| tracing::warn!(%error, "left out of the list")).ok()
}

/// Ids of images in a state.
pub(super) async fn ids_with_status(
    db: &mut SqliteConnection,
    status: Status,
) -> Result<Vec<ImageId>> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM images WHERE status = ? AND deleted = ?")
            .bind(status.as_str())
            .bind(status == Status::Deleted)
            .fetch_all(db)
            .await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The state of an image, deleted ones included.
pub(super) async fn status_of(db: &mut SqliteConnection, id: ImageId) -> Result<Option<Status>> {
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM images WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    let corrupt = |what| Error::Corrupt { image: id.to_string(), what };
    status
        .map(|status| status.parse().map_err(|_| corrupt(format!("status: '{status}'"))))
        .transpose()
}
