//! Reading images.

use super::dialect::{Connection, Query, Row, query};
use image::{Image, ImageId, Status};

use super::indexes::Indexes;
use super::page::Page;
use super::reach::Reach;
use super::readable::readable;
use super::{rows, visibility, whole};
use crate::{Direction, Error, ListQuery, Order, Result, SortKey, Viewer};

/// One image with all its parts, in one statement.
pub(super) async fn get(db: &mut Connection, viewer: &Viewer, id: ImageId) -> Result<Image> {
    let mut query = Query::new("SELECT images.id FROM images WHERE NOT images.deleted AND ");
    query.push("images.id = ").push_bind(id.to_string());
    visibility::by_id(&mut query, viewer);
    let found = whole::rows(&mut *db, query, &[]).await?;
    whole::image(found.first().ok_or(Error::NotFound(id))?, db)
}

/// How many images [`several`] reads, at most.
pub(super) const MOST: usize = 64;

/// Images of these ids that the viewer sees, in one statement; of others, nothing. Each with what keeps
/// it from being read.
pub(super) async fn several(
    db: &mut Connection,
    ids: Vec<ImageId>,
    viewer: &Viewer,
) -> Result<Vec<(ImageId, Result<Image>)>> {
    let mut query = Query::new("SELECT images.id FROM images WHERE {not}images.deleted AND ");
    query.push("images.id IN (");
    let mut list = query.separated(", ");
    // Of few lengths, for each is a statement that the server prepares: the last one is repeated.
    let length = ids.len().next_power_of_two();
    for id in ids.iter().chain(ids.last().into_iter().cycle()).take(length) {
        list.push_bind(id.to_string());
    }
    query.push(")");
    visibility::by_id(&mut query, viewer);
    let found = whole::rows(&mut *db, query, &[BY_ID]).await?;
    found.iter().map(|rows| Ok((id(rows)?, whole::image(rows, db)))).collect()
}

const BY_ID: Order = Order { key: SortKey::Id, direction: Direction::Ascending };

/// The id of an image of these rows.
fn id(rows: &[Row]) -> Result<ImageId> {
    let text: String = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get("id")?;
    let what = "id".to_owned();
    text.parse().map_err(|_| Error::Corrupt { image: text, what })
}

/// A page of images, in one statement; two where there is a marker, or where it has to be found out
/// which filter finds few images, and one more where there are several keys, or nulls behind the last
/// values. More only where rows had to be left out, or have gone meanwhile: a page that is not full
/// would be taken for the last one.
pub(super) async fn list(
    db: &mut Connection,
    viewer: &Viewer,
    list: &ListQuery,
    indexes: Indexes,
) -> Result<Vec<Image>> {
    let limit = list.limit as usize;
    let (page, mut place) = Page::begin(db, viewer, list, indexes).await?;
    let mut images = Vec::new();
    let mut reach = page.reach(db, place.as_ref(), limit).await?;
    loop {
        let wanted = limit - images.len();
        let within = reach.take();
        let Some(query) = page.query(place.as_ref(), within.as_ref(), wanted) else { break };
        let found = whole::rows(&mut *db, query, page.order()).await?;
        images.extend(found.iter().filter_map(|rows| readable(whole::image(rows, db))));
        if images.len() == limit {
            break;
        }
        if found.len() < wanted {
            reach = match within {
                None | Some(Reach::AllNulls) => break,
                Some(Reach::AllValues) => Some(Reach::AllNulls),
                // Some of those on the page have gone meanwhile.
                Some(_) => None,
            };
        }
        if let Some(last) = found.last().and_then(|rows| rows.first()) {
            place = readable(page.place(last));
            if place.is_none() {
                break;
            }
        }
    }
    Ok(images)
}

/// Ids of images in a state.
pub(super) async fn ids_with_status(db: &mut Connection, status: Status) -> Result<Vec<ImageId>> {
    let gone_too = matches!(status, Status::Deleted | Status::PendingDelete);
    let ids: Vec<String> = query("SELECT id FROM images WHERE status = ? AND (NOT deleted OR ?)")
        .bind(status.as_str())
        .bind(gone_too)
        .column(db)
        .await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The state of an image, deleted ones included.
pub(super) async fn status_of(db: &mut Connection, id: ImageId) -> Result<Option<Status>> {
    let row = query("SELECT id, status FROM images WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| rows::status(id, row.try_get("status")?)).transpose()
}
