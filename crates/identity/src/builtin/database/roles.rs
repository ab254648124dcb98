//! Roles, and which of them imply which.

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

pub(crate) async fn insert(db: impl SqliteExecutor<'_>, role: &Role) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO roles (id, name, description) VALUES (?, ?, ?)")
        .bind(&role.id)
        .bind(&role.name)
        .bind(&role.description)
        .execute(db)
        .await
        .map(drop)
}

pub(crate) async fn update(db: impl SqliteExecutor<'_>, role: &Role) -> sqlx::Result<()> {
    sqlx::query("UPDATE roles SET name = ?2, description = ?3 WHERE id = ?1")
        .bind(&role.id)
        .bind(&role.name)
        .bind(&role.description)
        .execute(db)
        .await
        .map(drop)
}

/// With its assignments.
pub(crate) async fn delete(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM roles WHERE id = ?").bind(id).execute(db).await.map(drop)
}

/// Who holds `prior` holds `implied` too.
pub(crate) async fn imply(
    db: impl SqliteExecutor<'_>,
    prior: &Role,
    implied: &Role,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO implied_roles (prior_id, implied_id) VALUES (?, ?)")
        .bind(&prior.id)
        .bind(&implied.id)
        .execute(db)
        .await
        .map(drop)
}

pub(crate) async fn get(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<Role>> {
    sqlx::query("SELECT * FROM roles WHERE id = ?").bind(id).try_map(read).fetch_optional(db).await
}

/// An absent filter admits everything.
pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    name: Option<&str>,
) -> sqlx::Result<Vec<Role>> {
    sqlx::query("SELECT * FROM roles WHERE ?1 IS NULL OR name = ?1 ORDER BY name")
        .bind(name)
        .try_map(read)
        .fetch_all(db)
        .await
}

/// The roles that `id` implies directly.
pub(crate) async fn implied_by(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Vec<Role>> {
    sqlx::query(
        "SELECT * FROM roles
         WHERE id IN (SELECT implied_id FROM implied_roles WHERE prior_id = ?)
         ORDER BY name",
    )
    .bind(id)
    .try_map(read)
    .fetch_all(db)
    .await
}

/// Every role that holding `id` amounts to, itself included.
pub(crate) async fn with_implied(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Vec<Role>> {
    sqlx::query(
        "WITH RECURSIVE held (id) AS (
             VALUES (?)
             UNION SELECT implied_id FROM implied_roles JOIN held ON prior_id = held.id)
         SELECT * FROM roles WHERE id IN (SELECT id FROM held) ORDER BY name",
    )
    .bind(id)
    .try_map(read)
    .fetch_all(db)
    .await
}

pub(super) fn read(row: SqliteRow) -> sqlx::Result<Role> {
    Ok(Role {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
    })
}
