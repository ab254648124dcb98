//! Objects. The names of required properties are one text with commas, as Glance keeps them.

use crate::sql::dialect::{Connection, Query, Row, Transaction, query};
use crate::sql::readable;
use image::Timestamp;

use super::items::{self, place};
use super::rows;
use crate::Result;
use crate::metadefs::{Kind, Object};

const KIND: Kind = Kind::Object;

pub(super) async fn list(db: &mut Connection, namespace: &str) -> Result<Vec<Object>> {
    select(db, namespace, None).await
}

pub(super) async fn get(db: &mut Connection, namespace: &str, name: &str) -> Result<Object> {
    let found = select(db, namespace, Some(name)).await?.pop();
    found.ok_or_else(|| items::not_found(KIND, namespace, name))
}

async fn select(db: &mut Connection, namespace: &str, name: Option<&str>) -> Result<Vec<Object>> {
    let place = place(db, namespace).await?;
    let mut query = Query::new("SELECT * FROM metadef_objects WHERE namespace_id = ");
    query.push_bind(place.id);
    if let Some(name) = name {
        query.push(" AND name = ").push_bind(name.to_owned());
    }
    query.push(" ORDER BY name");
    Ok(readable::all(&query.fetch_all(db).await?, read))
}

fn read(row: &Row) -> Result<Object> {
    let required: Option<&str> = row.try_get("required")?;
    let names = required.filter(|names| !names.is_empty()).map(|names| names.split(','));
    Ok(Object {
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        required: names.into_iter().flatten().map(str::to_owned).collect(),
        properties: rows::json(row)?,
        times: rows::times(row)?,
    })
}

fn required(object: &Object) -> Option<String> {
    (!object.required.is_empty()).then(|| object.required.join(","))
}

pub(super) async fn add(mut db: Transaction, namespace: &str, object: &Object) -> Result<()> {
    let id = place(&mut db, namespace).await?.id;
    insert(&mut db, id, namespace, object).await?;
    Ok(db.commit().await?)
}

pub(super) async fn insert(
    db: &mut Connection,
    place: i64,
    namespace: &str,
    object: &Object,
) -> Result<()> {
    query(
        "INSERT INTO metadef_objects (namespace_id, name, description, required, json_schema, \
         created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(place)
    .bind(&object.name)
    .bind(&object.description)
    .bind(required(object))
    .bind(rows::json_text(&object.properties))
    .bind(object.times.created_at)
    .bind(object.times.updated_at)
    .execute(db)
    .await
    .map_err(|error| {
        items::unless_taken(error, || items::duplicate(KIND, namespace, &object.name))
    })?;
    Ok(())
}

pub(super) async fn change(
    mut db: Transaction,
    namespace: &str,
    name: &str,
    to: &Object,
) -> Result<Object> {
    let place = place(&mut db, namespace).await?;
    let id = items::find(&mut db, place.id, KIND, name).await?;
    let id = id.ok_or_else(|| items::not_found(KIND, namespace, name))?;
    update(&mut db, id, namespace, to).await?;
    let changed = get(&mut db, namespace, &to.name).await?;
    db.commit().await?;
    Ok(changed)
}

pub(super) async fn update(
    db: &mut Connection,
    id: i64,
    namespace: &str,
    to: &Object,
) -> Result<()> {
    query(
        "UPDATE metadef_objects SET name = ?, description = ?, required = ?, json_schema = ?, \
         updated_at = ? WHERE id = ?",
    )
    .bind(&to.name)
    .bind(&to.description)
    .bind(required(to))
    .bind(rows::json_text(&to.properties))
    .bind(Timestamp::now())
    .bind(id)
    .execute(db)
    .await
    .map_err(|error| {
        items::unless_taken(error, || items::duplicate_by_update(KIND, namespace, &to.name))
    })?;
    Ok(())
}
