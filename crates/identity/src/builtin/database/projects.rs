//! Projects: what owns images.

use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use super::json;

#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) domain_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) tags: Vec<String>,
    /// Attributes that clients made up.
    pub(crate) extra: Map<String, Value>,
}

/// Which projects to list. Absent filters admit everything.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) domain_id: Option<&'a str>,
    pub(crate) enabled: Option<bool>,
    /// Those that this user holds a role on.
    pub(crate) of_user: Option<&'a str>,
}

pub(crate) async fn insert(db: impl SqliteExecutor<'_>, project: &Project) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO projects (id, domain_id, name, description, enabled, tags, extra)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&project.id)
    .bind(&project.domain_id)
    .bind(&project.name)
    .bind(&project.description)
    .bind(project.enabled)
    .bind(json::to_text(&project.tags)?)
    .bind(json::to_text(&project.extra)?)
    .execute(db)
    .await
    .map(drop)
}

pub(crate) async fn update(db: impl SqliteExecutor<'_>, project: &Project) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE projects SET name = ?2, description = ?3, enabled = ?4, tags = ?5, extra = ?6
         WHERE id = ?1",
    )
    .bind(&project.id)
    .bind(&project.name)
    .bind(&project.description)
    .bind(project.enabled)
    .bind(json::to_text(&project.tags)?)
    .bind(json::to_text(&project.extra)?)
    .execute(db)
    .await
    .map(drop)
}

/// With its assignments and tokens.
pub(crate) async fn delete(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM projects WHERE id = ?").bind(id).execute(db).await.map(drop)
}

pub(crate) async fn get(db: impl SqliteExecutor<'_>, id: &str) -> sqlx::Result<Option<Project>> {
    sqlx::query("SELECT * FROM projects WHERE id = ?")
        .bind(id)
        .try_map(read)
        .fetch_optional(db)
        .await
}

pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    filter: Filter<'_>,
) -> sqlx::Result<Vec<Project>> {
    sqlx::query(
        "SELECT * FROM projects
         WHERE (?1 IS NULL OR name = ?1)
           AND (?2 IS NULL OR domain_id = ?2)
           AND (?3 IS NULL OR enabled = ?3)
           AND (?4 IS NULL OR id IN (SELECT project_id FROM assignments WHERE user_id = ?4))
         ORDER BY name, id",
    )
    .bind(filter.name)
    .bind(filter.domain_id)
    .bind(filter.enabled)
    .bind(filter.of_user)
    .try_map(read)
    .fetch_all(db)
    .await
}

fn read(row: SqliteRow) -> sqlx::Result<Project> {
    Ok(Project {
        id: row.try_get("id")?,
        domain_id: row.try_get("domain_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        enabled: row.try_get("enabled")?,
        tags: json::from_text(row.try_get("tags")?)?,
        extra: json::from_text(row.try_get("extra")?)?,
    })
}
