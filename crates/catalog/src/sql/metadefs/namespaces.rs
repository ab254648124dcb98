//! Namespaces.

use crate::sql::dialect::{Connection, Query, Row, Transaction, query};
use crate::sql::readable::readable;
use std::collections::HashMap;

use image::Timestamp;

use super::items::{self, place};
use super::{objects, page, properties, resource_types, rows, tags};
use crate::metadefs::{
    Association, Contents, Fault, Kind, Namespace, NamespaceQuery, Reach, TagQuery,
};
use crate::{Result, Viewer};

const SELECT: &str = "SELECT n.id, n.namespace, n.display_name, n.description, n.visibility, \
     n.protected, n.owner, n.created_at, n.updated_at FROM metadef_namespaces n";

/// One namespace that the viewer sees.
pub(super) async fn get(db: &mut Connection, viewer: &Viewer, name: &str) -> Result<Namespace> {
    let mut query = Query::new(SELECT);
    query.push(" WHERE n.namespace = ").push_bind(name.to_owned());
    visible(&mut query, viewer);
    let row = query.fetch_optional(db).await?;
    read(&row.ok_or_else(|| Fault::NamespaceNotFound(name.to_owned()))?)
}

/// A page of namespaces in two queries; three where there is a marker.
pub(super) async fn list(
    db: &mut Connection,
    viewer: &Viewer,
    list: &NamespaceQuery,
) -> Result<Vec<(Namespace, Vec<Association>)>> {
    if let Some(marker) = &list.marker {
        get(db, viewer, marker).await?;
    }
    let found = select(viewer, list).fetch_all(&mut *db).await?;
    let ids: Vec<i64> = found.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let mut associations: HashMap<i64, Vec<Association>> = HashMap::new();
    for (id, association) in resource_types::of(db, &ids).await? {
        associations.entry(id).or_default().push(association);
    }
    let mut with =
        |(row, id): (&Row, &i64)| Ok((read(row)?, associations.remove(id).unwrap_or_default()));
    Ok(found.iter().zip(&ids).filter_map(|pair| readable(with(pair))).collect())
}

fn select(viewer: &Viewer, list: &NamespaceQuery) -> Query {
    let key = list.key.as_str();
    let mut query = Query::new(SELECT);
    if let Some(marker) = &list.marker {
        query.push(" JOIN metadef_namespaces m ON m.namespace = ").push_bind(marker.clone());
        query.push(" AND ");
        page::after(&mut query, key, list.direction);
    }
    query.push(" WHERE 1 = 1");
    visible(&mut query, viewer);
    if let Some(reach) = list.reach {
        // What says nothing of its visibility is shown, and listed, as private.
        query.push(" AND COALESCE(n.visibility, 'private') = ").push_bind(reach.as_str());
    }
    if let Some(names) = &list.resource_types {
        for_one_of(&mut query, names);
    }
    page::order(&mut query, key, list.direction);
    query.push(" LIMIT ").push_bind(i64::from(list.limit));
    query
}

/// Administrators see all; others what is public, and what their project owns. Source:
/// `_select_namespaces_query` of Glance's SQLAlchemy API.
fn visible(query: &mut Query, viewer: &Viewer) {
    if viewer.is_admin {
        return;
    }
    query.push(" AND (n.visibility = 'public'");
    if let Some(project) = &viewer.project {
        query.push(" OR n.owner = ").push_bind(project.clone());
    }
    query.push(")");
}

fn for_one_of(query: &mut Query, names: &[String]) {
    query.push(
        " AND EXISTS (SELECT 1 FROM metadef_namespace_resource_types a \
         JOIN metadef_resource_types t ON t.id = a.resource_type_id \
         WHERE a.namespace_id = n.id AND t.name IN (",
    );
    let mut list = query.separated(", ");
    for name in names {
        list.push_bind(name.clone());
    }
    query.push("))");
}

/// A namespace that says nothing of its visibility is private.
fn read(row: &Row) -> Result<Namespace> {
    let visibility: Option<&str> = row.try_get("visibility")?;
    let protected: Option<bool> = row.try_get("protected")?;
    Ok(Namespace {
        name: row.try_get("namespace")?,
        display_name: row.try_get("display_name")?,
        description: row.try_get("description")?,
        reach: visibility.and_then(|text| text.parse().ok()).unwrap_or(Reach::Private),
        protected: protected.unwrap_or(false),
        owner: row.try_get("owner")?,
        times: rows::times(row)?,
    })
}

pub(super) async fn contents(db: &mut Connection, name: &str) -> Result<Contents> {
    Ok(Contents {
        associations: resource_types::of_namespace(db, name).await?,
        objects: objects::list(db, name).await?,
        properties: properties::list(db, name).await?,
        tags: tags::list(db, name, &TagQuery::default()).await?,
    })
}

/// All or nothing: whatever in it can't be added, the namespace isn't either.
pub(super) async fn create(
    mut db: Transaction,
    namespace: &Namespace,
    contents: &Contents,
) -> Result<()> {
    insert(&mut db, namespace).await?;
    let (name, id) = (&namespace.name, place(&mut db, &namespace.name).await?.id);
    for association in &contents.associations {
        resource_types::insert(&mut db, id, name, association).await?;
    }
    for object in &contents.objects {
        objects::insert(&mut db, id, name, object).await?;
    }
    for tag in &contents.tags {
        tags::insert(&mut db, id, name, tag).await?;
    }
    for property in &contents.properties {
        properties::insert(&mut db, id, name, property).await?;
    }
    Ok(db.commit().await?)
}

pub(super) async fn insert(db: &mut Connection, namespace: &Namespace) -> Result<()> {
    query(
        "INSERT INTO metadef_namespaces (namespace, display_name, description, visibility, \
         protected, owner, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&namespace.name)
    .bind(&namespace.display_name)
    .bind(&namespace.description)
    .bind(namespace.reach.as_str())
    .bind(namespace.protected)
    .bind(&namespace.owner)
    .bind(namespace.times.created_at)
    .bind(namespace.times.updated_at)
    .execute(db)
    .await
    .map_err(|error| {
        items::unless_taken(error, || Fault::DuplicateNamespace(namespace.name.clone()))
    })?;
    Ok(())
}

pub(super) async fn change(mut db: Transaction, name: &str, to: &Namespace) -> Result<Namespace> {
    let id = place(&mut db, name).await?.id;
    update(&mut db, id, to).await?;
    let changed = get(&mut db, &Viewer::service(), &to.name).await?;
    db.commit().await?;
    Ok(changed)
}

pub(super) async fn update(db: &mut Connection, id: i64, to: &Namespace) -> Result<()> {
    query(
        "UPDATE metadef_namespaces SET namespace = ?, display_name = ?, description = ?, \
         visibility = ?, protected = ?, owner = ?, updated_at = ? WHERE id = ?",
    )
    .bind(&to.name)
    .bind(&to.display_name)
    .bind(&to.description)
    .bind(to.reach.as_str())
    .bind(to.protected)
    .bind(&to.owner)
    .bind(Timestamp::now())
    .bind(id)
    .execute(db)
    .await
    .map_err(|error| {
        items::unless_taken(error, || Fault::DuplicateNamespaceByUpdate(to.name.clone()))
    })?;
    Ok(())
}

pub(super) async fn delete(mut db: Transaction, name: &str) -> Result<()> {
    let place = place(&mut db, name).await?;
    if place.protected {
        return Err(Fault::NamespaceProtected(name.to_owned()).into());
    }
    delete_with_contents(&mut db, place.id).await?;
    Ok(db.commit().await?)
}

pub(super) async fn delete_with_contents(db: &mut Connection, id: i64) -> Result<()> {
    for kind in [Kind::Tag, Kind::Object, Kind::Property, Kind::Association] {
        items::delete_all(db, id, kind).await?;
    }
    query("DELETE FROM metadef_namespaces WHERE id = ?").bind(id).execute(db).await?;
    Ok(())
}
