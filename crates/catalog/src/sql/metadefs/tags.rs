//! Tags of a namespace.

use crate::sql::dialect::{Connection, Query, Row, Transaction, query};
use crate::sql::readable;
use image::Timestamp;

use super::items::{self, place};
use super::{page, rows};
use crate::Result;
use crate::metadefs::{Kind, Others, Tag, TagQuery};

const KIND: Kind = Kind::Tag;

pub(super) async fn list(
    db: &mut Connection,
    namespace: &str,
    list: &TagQuery,
) -> Result<Vec<Tag>> {
    let place = place(db, namespace).await?.id;
    let marker = match &list.marker {
        Some(name) => {
            let id = items::find(db, place, KIND, name).await?;
            Some(id.ok_or_else(|| items::not_found(KIND, namespace, name))?)
        }
        None => None,
    };
    let mut query = select(place, marker, list);
    Ok(readable::all(&query.fetch_all(db).await?, read))
}

fn select(place: i64, marker: Option<i64>, list: &TagQuery) -> Query {
    let key = list.key.as_str();
    let mut query = Query::new("SELECT n.* FROM metadef_tags n");
    if let Some(marker) = marker {
        query.push(" JOIN metadef_tags m ON m.id = ").push_bind(marker).push(" AND ");
        page::after(&mut query, key, list.direction);
    }
    query.push(" WHERE n.namespace_id = ").push_bind(place);
    page::order(&mut query, key, list.direction);
    if let Some(limit) = list.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    query
}

fn read(row: &Row) -> Result<Tag> {
    Ok(Tag { name: row.try_get("name")?, times: rows::times(row)? })
}

pub(super) async fn get(db: &mut Connection, namespace: &str, name: &str) -> Result<Tag> {
    let place = place(db, namespace).await?;
    let row = query("SELECT * FROM metadef_tags WHERE namespace_id = ? AND name = ?")
        .bind(place.id)
        .bind(name)
        .fetch_optional(db)
        .await?;
    read(&row.ok_or_else(|| items::not_found(KIND, namespace, name))?)
}

pub(super) async fn add(
    mut db: Transaction,
    namespace: &str,
    tags: &[Tag],
    others: Others,
) -> Result<()> {
    let place = place(&mut db, namespace).await?.id;
    if others == Others::Remove && !tags.is_empty() {
        items::delete_all(&mut db, place, KIND).await?;
    }
    for tag in tags {
        insert(&mut db, place, namespace, tag).await?;
    }
    Ok(db.commit().await?)
}

pub(super) async fn insert(
    db: &mut Connection,
    place: i64,
    namespace: &str,
    tag: &Tag,
) -> Result<()> {
    query(
        "INSERT INTO metadef_tags (namespace_id, name, created_at, updated_at) VALUES (?, ?, ?, ?)",
    )
    .bind(place)
    .bind(&tag.name)
    .bind(tag.times.created_at)
    .bind(tag.times.updated_at)
    .execute(db)
    .await
    .map_err(|error| items::unless_taken(error, || items::duplicate(KIND, namespace, &tag.name)))?;
    Ok(())
}

pub(super) async fn rename(
    mut db: Transaction,
    namespace: &str,
    name: &str,
    to: &str,
) -> Result<Tag> {
    let place = place(&mut db, namespace).await?.id;
    let id = items::find(&mut db, place, KIND, name).await?;
    let id = id.ok_or_else(|| items::not_found(KIND, namespace, name))?;
    update(&mut db, id, namespace, to).await?;
    let renamed = get(&mut db, namespace, to).await?;
    db.commit().await?;
    Ok(renamed)
}

pub(super) async fn update(db: &mut Connection, id: i64, namespace: &str, to: &str) -> Result<()> {
    query("UPDATE metadef_tags SET name = ?, updated_at = ? WHERE id = ?")
        .bind(to)
        .bind(Timestamp::now())
        .bind(id)
        .execute(db)
        .await
        .map_err(|error| {
            items::unless_taken(error, || items::duplicate_by_update(KIND, namespace, to))
        })?;
    Ok(())
}
