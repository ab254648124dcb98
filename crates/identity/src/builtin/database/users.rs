//! Users.

use std::fmt;

use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use super::json;

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) domain_id: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) default_project_id: Option<String>,
    /// A PHC string; none for a user who can't log in by password.
    pub(crate) password_hash: Option<String>,
    /// Attributes that clients made up, and those that nothing here depends on: `email`,
    /// `description`.
    pub(crate) extra: Map<String, Value>,
}

/// Which users to list. Absent filters admit everything.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) domain_id: Option<&'a str>,
    pub(crate) enabled: Option<bool>,
}

/// Without the password's hash.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn insert(db: impl SqliteExecutor<'_>, user: &User) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO users
         (id, domain_id, name, enabled, default_project_id, password_hash, extra)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&user.id)
    .bind(&user.domain_id)
    .bind(&user.name)
    .bind(user.enabled)
    .bind(&user.default_project_id)
    .bind(&user.password_hash)
    .bind(json::to_text(&user.extra)?)
    .execute(db)
    .await
    .map(drop)
}

pub(crate) async fn update(db: impl SqliteExecutor<'_>, user: &User) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE users SET name = ?2, enabled = ?3, default_project_id = ?4, password_hash = ?5,
         extra = ?6 WHERE id = ?1",
    )
    .bind(&user.id)
    .bind(&user.name)
    .bind(user.enabled)
    .bind(&user.default_project_id)
    .bind(&user.password_hash)
    .bind(json::to_text(&user.extra)?)
    .execute(db)
    .await
    .map(drop)
}

/// With the user's assignments and tokens.
pub(crate) async fn delete(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM users WHERE id = ?").bind(id).execute(db).await.map(drop)
}

pub(crate) async fn get(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<User>> {
    sqlx::query("SELECT * FROM users WHERE id = ?").bind(id).try_map(read).fetch_optional(db).await
}

pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    filter: Filter<'_>,
) -> sqlx::Result<Vec<User>> {
    sqlx::query(
        "SELECT * FROM users
         WHERE (?1 IS NULL OR name = ?1)
           AND (?2 IS NULL OR domain_id = ?2)
           AND (?3 IS NULL OR enabled = ?3)
         ORDER BY name, id",
    )
    .bind(filter.name)
    .bind(filter.domain_id)
    .bind(filter.enabled)
    .try_map(read)
    .fetch_all(db)
    .await
}

fn read(row: SqliteRow) -> sqlx::Result<User> {
    Ok(User {
        id: row.try_get("id")?,
        domain_id: row.try_get("domain_id")?,
        name: row.try_get("name")?,
        enabled: row.try_get("enabled")?,
        default_project_id: row.try_get("default_project_id")?,
        password_hash: row.try_get("password_hash")?,
        extra: json::from_text(row.try_get("extra")?)?,
    })
}
