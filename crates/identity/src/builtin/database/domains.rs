//! Domains: the name spaces of projects and users.

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

/// The domain that everything is in unless told otherwise, as in Keystone.
pub(crate) const DEFAULT_ID: &str = "default";

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
}

pub(crate) async fn insert(db: impl SqliteExecutor<'_>, domain: &Domain) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO domains (id, name, description, enabled) VALUES (?, ?, ?, ?)")
        .bind(&domain.id)
        .bind(&domain.name)
        .bind(&domain.description)
        .bind(domain.enabled)
        .execute(db)
        .await
        .map(drop)
}

pub(crate) async fn update(db: impl SqliteExecutor<'_>, domain: &Domain) -> sqlx::Result<()> {
    sqlx::query("UPDATE domains SET name = ?2, description = ?3, enabled = ?4 WHERE id = ?1")
        .bind(&domain.id)
        .bind(&domain.name)
        .bind(&domain.description)
        .bind(domain.enabled)
        .execute(db)
        .await
        .map(drop)
}

pub(crate) async fn delete(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM domains WHERE id = ?").bind(id).execute(db).await.map(drop)
}

pub(crate) async fn get(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<Domain>> {
    sqlx::query("SELECT * FROM domains WHERE id = ?")
        .bind(id)
        .try_map(read)
        .fetch_optional(db)
        .await
}

pub(crate) async fn named(db: impl SqliteExecutor<'_>, name: &str) -> sqlx::Result<Option<Domain>> {
    sqlx::query("SELECT * FROM domains WHERE name = ?")
        .bind(name)
        .try_map(read)
        .fetch_optional(db)
        .await
}

/// Absent filters admit everything.
pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    name: Option<&str>,
    enabled: Option<bool>,
) -> sqlx::Result<Vec<Domain>> {
    sqlx::query(
        "SELECT * FROM domains
         WHERE (?1 IS NULL OR name = ?1) AND (?2 IS NULL OR enabled = ?2)
         ORDER BY name",
    )
    .bind(name)
    .bind(enabled)
    .try_map(read)
    .fetch_all(db)
    .await
}

/// Those that a user holds a role on.
pub(crate) async fn of_user(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
) -> sqlx::Result<Vec<Domain>> {
    sqlx::query(
        "SELECT * FROM domains WHERE enabled
         AND id IN (SELECT domain_id FROM assignments WHERE user_id = ?)
         ORDER BY name",
    )
    .bind(user_id)
    .try_map(read)
    .fetch_all(db)
    .await
}

fn read(row: SqliteRow) -> sqlx::Result<Domain> {
    Ok(Domain {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        enabled: row.try_get("enabled")?,
    })
}
