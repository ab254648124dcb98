//! Types of resources, and which namespaces are for them.

use crate::sql::dialect::{Connection, Query, Row, Transaction, query};
use crate::sql::readable;
use image::Timestamp;

use super::items::{self, place};
use super::rows;
use crate::Result;
use crate::metadefs::{Association, Fault, Kind, ResourceType};

const KIND: Kind = Kind::Association;

pub(super) async fn list(db: &mut Connection) -> Result<Vec<ResourceType>> {
    let rows = query("SELECT * FROM metadef_resource_types ORDER BY id").fetch_all(db).await?;
    let read =
        |row: &Row| Ok(ResourceType { name: row.try_get("name")?, times: rows::times(row)? });
    Ok(readable::all(&rows, read))
}

/// The associations of one namespace.
pub(super) async fn of_namespace(db: &mut Connection, namespace: &str) -> Result<Vec<Association>> {
    let place = place(db, namespace).await?;
    Ok(of(db, &[place.id]).await?.into_iter().map(|(_, association)| association).collect())
}

/// The associations of these namespaces, each with the id of its namespace, in one query.
pub(super) async fn of(db: &mut Connection, namespaces: &[i64]) -> Result<Vec<(i64, Association)>> {
    if namespaces.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(
        "SELECT a.namespace_id, t.name, a.prefix, a.properties_target, a.created_at, a.updated_at \
         FROM metadef_namespace_resource_types a \
         JOIN metadef_resource_types t ON t.id = a.resource_type_id WHERE a.namespace_id IN (",
    );
    let mut list = query.separated(", ");
    for id in namespaces {
        list.push_bind(*id);
    }
    query.push(") ORDER BY a.namespace_id, a.created_at, a.resource_type_id");
    Ok(readable::all(&query.fetch_all(db).await?, read))
}

fn read(row: &Row) -> Result<(i64, Association)> {
    let association = Association {
        resource_type: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        properties_target: row.try_get("properties_target")?,
        times: rows::times(row)?,
    };
    Ok((row.try_get("namespace_id")?, association))
}

pub(super) async fn associate(
    mut db: Transaction,
    namespace: &str,
    association: &Association,
) -> Result<()> {
    let id = place(&mut db, namespace).await?.id;
    insert(&mut db, id, namespace, association).await?;
    Ok(db.commit().await?)
}

/// Adds an association, and its type where there is none.
pub(super) async fn insert(
    db: &mut Connection,
    place: i64,
    namespace: &str,
    association: &Association,
) -> Result<()> {
    let name = &association.resource_type;
    let resource_type = match find(db, name).await? {
        Some(id) => id,
        None => create(db, name, Seeded::No).await?,
    };
    insert_of(db, place, resource_type, association)
        .await
        .map_err(|error| items::unless_taken(error, || items::duplicate(KIND, namespace, name)))
}

pub(super) async fn insert_of(
    db: &mut Connection,
    place: i64,
    resource_type: i64,
    association: &Association,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO metadef_namespace_resource_types (namespace_id, resource_type_id, prefix, \
         properties_target, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(place)
    .bind(resource_type)
    .bind(&association.prefix)
    .bind(&association.properties_target)
    .bind(association.times.created_at)
    .bind(association.times.updated_at)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn update(
    db: &mut Connection,
    place: i64,
    resource_type: i64,
    to: &Association,
) -> Result<()> {
    query(
        "UPDATE metadef_namespace_resource_types SET prefix = ?, properties_target = ?, \
         updated_at = ? WHERE namespace_id = ? AND resource_type_id = ?",
    )
    .bind(&to.prefix)
    .bind(&to.properties_target)
    .bind(Timestamp::now())
    .bind(place)
    .bind(resource_type)
    .execute(db)
    .await?;
    Ok(())
}

/// The type stays: other namespaces may be for it, and Glance keeps it too.
pub(super) async fn dissociate(mut db: Transaction, namespace: &str, name: &str) -> Result<()> {
    let place = place(&mut db, namespace).await?;
    let resource_type = find(&mut db, name).await?;
    let resource_type =
        resource_type.ok_or_else(|| Fault::ResourceTypeNotFound(name.to_owned()))?;
    if !is_associated(&mut db, place.id, resource_type).await? {
        return Err(items::not_found(KIND, namespace, name));
    }
    if place.protected {
        return Err(Fault::Protected { kind: KIND, name: name.to_owned() }.into());
    }
    query(
        "DELETE FROM metadef_namespace_resource_types \
         WHERE namespace_id = ? AND resource_type_id = ?",
    )
    .bind(place.id)
    .bind(resource_type)
    .execute(&mut db)
    .await?;
    Ok(db.commit().await?)
}

pub(super) async fn is_associated(
    db: &mut Connection,
    place: i64,
    resource_type: i64,
) -> Result<bool> {
    let found: Option<i64> = query(
        "SELECT resource_type_id FROM metadef_namespace_resource_types \
         WHERE namespace_id = ? AND resource_type_id = ?",
    )
    .bind(place)
    .bind(resource_type)
    .value(db)
    .await?;
    Ok(found.is_some())
}

pub(super) async fn find(db: &mut Connection, name: &str) -> Result<Option<i64>> {
    Ok(query("SELECT id FROM metadef_resource_types WHERE name = ?").bind(name).value(db).await?)
}

/// Whether a type comes from the files that an operator loads: Glance marks those protected, and
/// gives them no time of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seeded {
    Yes,
    No,
}

pub(super) async fn create(db: &mut Connection, name: &str, seeded: Seeded) -> Result<i64> {
    let now = Timestamp::now();
    query(
        "INSERT INTO metadef_resource_types (name, protected, created_at, updated_at) \
         VALUES (?, ?, ?, ?)",
    )
    .bind(name)
    .bind(seeded == Seeded::Yes)
    .bind(now)
    .bind((seeded == Seeded::No).then_some(now))
    .execute(&mut *db)
    .await?;
    let id = find(db, name).await?;
    Ok(id.ok_or_else(|| Fault::ResourceTypeNotFound(name.to_owned()))?)
}

/// Marks a type as changed now.
pub(super) async fn touch(db: &mut Connection, id: i64) -> Result<()> {
    query("UPDATE metadef_resource_types SET updated_at = ? WHERE id = ?")
        .bind(Timestamp::now())
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}
