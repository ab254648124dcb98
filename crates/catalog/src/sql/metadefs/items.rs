//! What objects, properties and tags have in common: rows of a table, each in a namespace and of
//! its own name there.

use crate::metadefs::{Fault, Kind};
use crate::sql::dialect::{Connection, Query, Transaction, query};
use crate::{Error, Result};

/// The table of a kind.
pub(super) fn table(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "metadef_objects",
        Kind::Property => "metadef_properties",
        Kind::Tag => "metadef_tags",
        Kind::Association => "metadef_namespace_resource_types",
    }
}

/// A namespace that things are looked for in, or are to be deleted from.
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) protected: bool,
}

/// The namespace of a name.
pub(super) async fn place(db: &mut Connection, namespace: &str) -> Result<Place> {
    let row = query("SELECT id, protected FROM metadef_namespaces WHERE namespace = ?")
        .bind(namespace)
        .fetch_optional(db)
        .await?
        .ok_or_else(|| Fault::NamespaceNotFound(namespace.to_owned()))?;
    let protected: Option<bool> = row.try_get("protected")?;
    Ok(Place { id: row.try_get("id")?, protected: protected.unwrap_or(false) })
}

/// The id of a row in a namespace.
pub(super) async fn find(
    db: &mut Connection,
    place: i64,
    kind: Kind,
    name: &str,
) -> Result<Option<i64>> {
    let mut query = Query::new("SELECT id FROM ");
    query.push(table(kind)).push(" WHERE namespace_id = ").push_bind(place);
    query.push(" AND name = ").push_bind(name.to_owned());
    Ok(query.value(db).await?)
}

/// Deletes one of them.
pub(super) async fn remove(
    mut db: Transaction,
    namespace: &str,
    kind: Kind,
    name: &str,
) -> Result<()> {
    let place = place(&mut db, namespace).await?;
    let id = find(&mut db, place.id, kind, name).await?;
    let id = id.ok_or_else(|| not_found(kind, namespace, name))?;
    if place.protected {
        return Err(Fault::Protected { kind, name: name.to_owned() }.into());
    }
    let mut query = Query::new("DELETE FROM ");
    query.push(table(kind)).push(" WHERE id = ").push_bind(id);
    query.execute(&mut db).await?;
    Ok(db.commit().await?)
}

/// Deletes all of a kind, unless the namespace is protected.
pub(super) async fn clear(mut db: Transaction, namespace: &str, kind: Kind) -> Result<()> {
    let place = place(&mut db, namespace).await?;
    if place.protected {
        return Err(Fault::NamespaceProtected(namespace.to_owned()).into());
    }
    delete_all(&mut db, place.id, kind).await?;
    Ok(db.commit().await?)
}

/// Deletes all of a kind.
pub(super) async fn delete_all(db: &mut Connection, place: i64, kind: Kind) -> Result<()> {
    let mut query = Query::new("DELETE FROM ");
    query.push(table(kind)).push(" WHERE namespace_id = ").push_bind(place);
    query.execute(db).await?;
    Ok(())
}

pub(super) fn not_found(kind: Kind, namespace: &str, name: &str) -> Error {
    Fault::NotFound { kind, namespace: namespace.to_owned(), name: name.to_owned() }.into()
}

/// Tells a name that is taken from other failures.
pub(super) fn unless_taken(error: sqlx::Error, taken: impl FnOnce() -> Fault) -> Error {
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => taken().into(),
        _ => error.into(),
    }
}

/// What is said when a name is taken in a namespace.
pub(super) fn duplicate(kind: Kind, namespace: &str, name: &str) -> Fault {
    Fault::Duplicate { kind, namespace: namespace.to_owned(), name: name.to_owned() }
}

/// The same of a change.
pub(super) fn duplicate_by_update(kind: Kind, namespace: &str, name: &str) -> Fault {
    Fault::DuplicateByUpdate { kind, namespace: namespace.to_owned(), name: name.to_owned() }
}
