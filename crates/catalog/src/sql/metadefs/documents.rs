//! Namespaces from files and to files, as `glance-manage db_load_metadefs`, `db_export_metadefs`
//! and `db_unload_metadefs` do it.

use crate::sql::dialect::{Connection, Query, Transaction, query};
use image::Timestamp;

use super::items::{self, place};
use super::resource_types::{self, Seeded};
use super::{namespaces, objects, properties, tags};
use crate::metadefs::{
    Association, Contents, Document, DocumentAssociation, DocumentObject, DocumentTag, Existing,
    Kind, Loaded, Namespace, Object, Property, Tag, Times,
};
use crate::{Result, Viewer};

/// In the order that foreign keys allow.
const TABLES: [&str; 6] = [
    "metadef_properties",
    "metadef_objects",
    "metadef_tags",
    "metadef_namespace_resource_types",
    "metadef_namespaces",
    "metadef_resource_types",
];

/// What is done with what the namespace has already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    Keep,
    Replace,
}

/// One document, all of it or nothing.
pub(super) async fn load(
    mut db: Transaction,
    document: &Document,
    existing: Existing,
) -> Result<Loaded> {
    let namespace = namespace(document);
    let id = find(&mut db, &document.namespace).await?;
    let (id, own, loaded) = match (id, existing) {
        (None, _) => (insert(&mut db, &namespace).await?, Own::Keep, Loaded::Created),
        (Some(_), Existing::Skip) => return Ok(Loaded::Skipped),
        (Some(id), Existing::Overwrite) => {
            namespaces::delete_with_contents(&mut db, id).await?;
            (insert(&mut db, &namespace).await?, Own::Keep, Loaded::Overwritten)
        }
        (Some(id), Existing::Merge) => (id, Own::Keep, Loaded::Merged),
        (Some(id), Existing::MergeNewer) => {
            namespaces::update(&mut db, id, &namespace).await?;
            (id, Own::Replace, Loaded::Merged)
        }
    };
    fill(&mut db, id, document, own).await?;
    db.commit().await?;
    Ok(loaded)
}

async fn find(db: &mut Connection, namespace: &str) -> Result<Option<i64>> {
    Ok(query("SELECT id FROM metadef_namespaces WHERE namespace = ?")
        .bind(namespace)
        .value(db)
        .await?)
}

async fn insert(db: &mut Connection, namespace: &Namespace) -> Result<i64> {
    namespaces::insert(db, namespace).await?;
    Ok(place(db, &namespace.name).await?.id)
}

/// As Glance's loader does: not changed until somebody changes it.
fn loaded_now() -> Times {
    Times { created_at: Timestamp::now(), updated_at: None }
}

fn namespace(document: &Document) -> Namespace {
    Namespace {
        name: document.namespace.clone(),
        display_name: document.display_name.clone(),
        description: document.description.clone(),
        reach: document.visibility.unwrap_or_default(),
        protected: document.protected.unwrap_or(false),
        owner: document.owner.clone().unwrap_or_else(|| "admin".to_owned()),
        times: loaded_now(),
    }
}

async fn fill(db: &mut Connection, id: i64, document: &Document, own: Own) -> Result<()> {
    for association in &document.resource_type_associations {
        load_association(db, id, association, own).await?;
    }
    for (name, definition) in &document.properties {
        let property = Property { name: name.clone(), definition: definition.clone() };
        match items::find(db, id, Kind::Property, name).await? {
            None => properties::insert(db, id, &document.namespace, &property).await?,
            Some(row) if own == Own::Replace => {
                properties::update(db, row, &document.namespace, &property).await?;
            }
            Some(_) => {}
        }
    }
    for object in &document.objects {
        load_object(db, id, document, object, own).await?;
    }
    for tag in &document.tags {
        let name = &tag.name;
        let tag = Tag { name: name.clone(), times: loaded_now() };
        match items::find(db, id, Kind::Tag, name).await? {
            None => tags::insert(db, id, &document.namespace, &tag).await?,
            Some(row) if own == Own::Replace => {
                tags::update(db, row, &document.namespace, name).await?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn load_association(
    db: &mut Connection,
    id: i64,
    from: &DocumentAssociation,
    own: Own,
) -> Result<()> {
    let resource_type = match resource_types::find(db, &from.name).await? {
        None => resource_types::create(db, &from.name, Seeded::Yes).await?,
        Some(known) => {
            if own == Own::Replace {
                resource_types::touch(db, known).await?;
            }
            known
        }
    };
    let association = Association {
        resource_type: from.name.clone(),
        prefix: from.prefix.clone(),
        properties_target: from.properties_target.clone(),
        times: loaded_now(),
    };
    match resource_types::is_associated(db, id, resource_type).await? {
        false => Ok(resource_types::insert_of(db, id, resource_type, &association).await?),
        true if own == Own::Replace => {
            resource_types::update(db, id, resource_type, &association).await
        }
        true => Ok(()),
    }
}

async fn load_object(
    db: &mut Connection,
    id: i64,
    document: &Document,
    from: &DocumentObject,
    own: Own,
) -> Result<()> {
    let object = Object {
        name: from.name.clone(),
        description: from.description.clone(),
        required: from.required.clone(),
        properties: from.properties.clone(),
        times: loaded_now(),
    };
    match items::find(db, id, Kind::Object, &from.name).await? {
        None => objects::insert(db, id, &document.namespace, &object).await,
        Some(row) if own == Own::Replace => {
            objects::update(db, row, &document.namespace, &object).await
        }
        Some(_) => Ok(()),
    }
}

pub(super) async fn export(db: &mut Connection) -> Result<Vec<Document>> {
    let names: Vec<String> = query("SELECT namespace FROM metadef_namespaces ORDER BY namespace")
        .column(&mut *db)
        .await?;
    let mut documents = Vec::new();
    for name in names {
        let namespace = namespaces::get(db, &Viewer::service(), &name).await?;
        documents.push(document(namespace, namespaces::contents(db, &name).await?));
    }
    Ok(documents)
}

fn document(namespace: Namespace, contents: Contents) -> Document {
    let association = |from: Association| DocumentAssociation {
        name: from.resource_type,
        prefix: from.prefix,
        properties_target: from.properties_target,
    };
    let object = |from: Object| DocumentObject {
        name: from.name,
        description: from.description,
        required: from.required,
        properties: from.properties,
    };
    let property = |from: Property| (from.name, from.definition);
    Document {
        namespace: namespace.name,
        display_name: namespace.display_name,
        description: namespace.description,
        visibility: Some(namespace.reach),
        protected: Some(namespace.protected),
        owner: None,
        resource_type_associations: contents.associations.into_iter().map(association).collect(),
        properties: contents.properties.into_iter().map(property).collect(),
        objects: contents.objects.into_iter().map(object).collect(),
        tags: contents.tags.into_iter().map(|tag| DocumentTag { name: tag.name }).collect(),
    }
}

pub(super) async fn unload(mut db: Transaction) -> Result<()> {
    for table in TABLES {
        let mut query = Query::new("DELETE FROM ");
        query.push(table).execute(&mut db).await?;
    }
    Ok(db.commit().await?)
}
