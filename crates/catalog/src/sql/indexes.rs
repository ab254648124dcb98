//! Indexes besides Glance's, with which lists cost the same among a thousand images and a million.
//! They are added when an operator asks for it; Glance and its migrations don't mind them.

use super::dialect::{Connection, Dialect, query};
use crate::Result;

/// Which indexes a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Indexes {
    /// Those of Glance's schema.
    Glances,
    /// All of [`wanted`] besides.
    Further,
}

/// An index that Glance's schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its table.
    pub table: &'static str,
    /// Its columns, with words for what databases spell differently.
    columns: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

const fn index(
    name: &'static str,
    table: &'static str,
    columns: &'static str,
    purpose: &'static str,
) -> Index {
    Index { name, table, columns, purpose }
}

/// A list is in the order of its keys, and then of `created_at` and `id`.
const FURTHER: [Index; 14] = [
    index(
        "tintype_images_visibility",
        "images",
        "visibility, created_at, id",
        "what everybody sees, and lists by visibility",
    ),
    index(
        "tintype_images_visibility_name",
        "images",
        "visibility, name{nulls first}, created_at, id",
        "the same by name",
    ),
    index(
        "tintype_images_visibility_size",
        "images",
        "visibility, size{nulls first}, created_at, id",
        "the same by size",
    ),
    index(
        "tintype_images_visibility_updated_at",
        "images",
        "visibility, updated_at{nulls first}, created_at, id",
        "the same by the last change",
    ),
    index("tintype_images_owner", "images", "owner, created_at, id", "a project's own images"),
    index(
        "tintype_images_name",
        "images",
        "name{nulls first}, created_at, id",
        "images of a name, and lists by name",
    ),
    index(
        "tintype_images_status",
        "images",
        "status, created_at, id",
        "images in a state, and lists by state",
    ),
    index(
        "tintype_images_size",
        "images",
        "size{nulls first}, created_at, id",
        "images of a size, and lists by size",
    ),
    index(
        "tintype_images_updated_at",
        "images",
        "updated_at{nulls first}, created_at, id",
        "lists by the last change",
    ),
    index(
        "tintype_images_disk_format",
        "images",
        "disk_format{nulls first}, created_at, id",
        "lists by disk format",
    ),
    index(
        "tintype_images_container_format",
        "images",
        "container_format{nulls first}, created_at, id",
        "lists by container format",
    ),
    index(
        "tintype_image_members_member",
        "image_members",
        "member, status, image_id",
        "what others share with a project",
    ),
    index(
        "tintype_image_properties_value",
        "image_properties",
        "name, {indexed value}, image_id",
        "images with a property",
    ),
    index("tintype_image_tags_value", "image_tags", "value, image_id", "images with a tag"),
];

/// With it SQLite passes over images without a look at their rows. MySQL's index of `created_at` has
/// the ids as it is, and PostgreSQL gains nothing.
const SQLITES: Index = index(
    "tintype_images_created_at",
    "images",
    "created_at, id",
    "lists by creation, of images with a property or a tag that many have",
);

/// The indexes that a database can have besides Glance's.
fn wanted(dialect: Dialect) -> impl Iterator<Item = Index> {
    FURTHER.into_iter().chain((dialect == Dialect::Sqlite).then_some(SQLITES))
}

/// Which indexes a database has.
pub(super) async fn look(db: &mut Connection) -> Result<Indexes> {
    let missing = missing(db).await?;
    if missing.is_empty() {
        return Ok(Indexes::Further);
    }
    // As after an interruption, or of an earlier version.
    if missing.len() < wanted(db.dialect()).count() {
        let names: Vec<_> = missing.iter().map(|index| index.name).collect();
        tracing::warn!(
            "of the extra indexes {} are missing, and none is used; \
             `tintype db sync --extra-indexes` adds them",
            names.join(", ")
        );
    }
    Ok(Indexes::Glances)
}

async fn missing(db: &mut Connection) -> Result<Vec<Index>> {
    let known: Vec<String> = query(db.dialect().known_indexes()).column(db).await?;
    Ok(wanted(db.dialect()).filter(|index| !known.iter().any(|name| name == index.name)).collect())
}

/// Adds those that are missing, each on its own: what an interruption leaves is gone on with. Says
/// which they were.
pub(super) async fn add(db: &mut Connection) -> Result<Vec<Index>> {
    db.set_unhurried();
    let missing = missing(db).await?;
    for Index { name, table, columns, .. } in &missing {
        if db.dialect() == Dialect::Postgres {
            query(format!("DROP INDEX IF EXISTS {name}")).execute(db).await?;
        }
        let sql = format!("CREATE INDEX{{concurrently}} {name} ON {table} ({columns})");
        query(sql).execute(db).await?;
        tracing::info!("added the index {name}");
    }
    if !missing.is_empty() {
        analyze(db).await?;
    }
    Ok(missing)
}

/// Has the database look at the tables anew. SQLite's way is not changed: its statements say by
/// themselves what is to be used.
async fn analyze(db: &mut Connection) -> Result<()> {
    let analyze = match db.dialect() {
        Dialect::Sqlite => return Ok(()),
        Dialect::MySql => "ANALYZE TABLE",
        Dialect::Postgres => "ANALYZE",
    };
    for table in ["images", "image_members", "image_properties", "image_tags"] {
        query(format!("{analyze} {table}")).execute(db).await?;
    }
    Ok(())
}
