//! Properties of a namespace.

use crate::sql::dialect::{Connection, Query, Row, Transaction, query};
use crate::sql::readable;
use image::Timestamp;

use super::items::{self, place};
use super::rows;
use crate::Result;
use crate::metadefs::{Kind, Property};

const KIND: Kind = Kind::Property;

pub(super) async fn list(db: &mut Connection, namespace: &str) -> Result<Vec<Property>> {
    select(db, namespace, None).await
}

pub(super) async fn get(db: &mut Connection, namespace: &str, name: &str) -> Result<Property> {
    let found = select(db, namespace, Some(name)).await?.pop();
    found.ok_or_else(|| items::not_found(KIND, namespace, name))
}

async fn select(db: &mut Connection, namespace: &str, name: Option<&str>) -> Result<Vec<Property>> {
    let place = place(db, namespace).await?;
    let mut query = Query::new("SELECT name, json_schema FROM metadef_properties ");
    query.push("WHERE namespace_id = ").push_bind(place.id);
    if let Some(name) = name {
        query.push(" AND name = ").push_bind(name.to_owned());
    }
    query.push(" ORDER BY name");
    Ok(readable::all(&query.fetch_all(db).await?, read))
}

fn read(row: &Row) -> Result<Property> {
    Ok(Property { name: row.try_get("name")?, definition: rows::json(row)? })
}

pub(super) async fn add(mut db: Transaction, namespace: &str, property: &Property) -> Result<()> {
    let id = place(&mut db, namespace).await?.id;
    insert(&mut db, id, namespace, property).await?;
    Ok(db.commit().await?)
}

pub(super) async fn insert(
    db: &mut Connection,
    place: i64,
    namespace: &str,
    property: &Property,
) -> Result<()> {
    let now = Timestamp::now();
    query(
        "INSERT INTO metadef_properties (namespace_id, name, json_schema, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(place)
    .bind(&property.name)
    .bind(rows::json_text(&property.definition))
    .bind(now)
    .bind(now)
    .execute(db)
    .await
    .map_err(|error| {
        items::unless_taken(error, || items::duplicate(KIND, namespace, &property.name))
    })?;
    Ok(())
}

pub(super) async fn change(
    mut db: Transaction,
    namespace: &str,
    name: &str,
    to: &Property,
) -> Result<()> {
    let place = place(&mut db, namespace).await?;
    let id = items::find(&mut db, place.id, KIND, name).await?;
    let id = id.ok_or_else(|| items::not_found(KIND, namespace, name))?;
    update(&mut db, id, namespace, to).await?;
    Ok(db.commit().await?)
}

pub(super) async fn update(
    db: &mut Connection,
    id: i64,
    namespace: &str,
    to: &Property,
) -> Result<()> {
    query("UPDATE metadef_properties SET name = ?, json_schema = ?, updated_at = ? WHERE id = ?")
        .bind(&to.name)
        .bind(rows::json_text(&to.definition))
        .bind(Timestamp::now())
        .bind(id)
        .execute(db)
        .await
        .map_err(|error| {
            items::unless_taken(error, || items::duplicate_by_update(KIND, namespace, &to.name))
        })?;
    Ok(())
}
