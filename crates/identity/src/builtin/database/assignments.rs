//! Who holds which role where.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use super::roles::{self, Role};

/// Where a role is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Project(String),
    Domain(String),
}

impl Scope {
    pub(crate) fn project(&self) -> Option<&str> {
        match self {
            Self::Project(id) => Some(id),
            Self::Domain(_) => None,
        }
    }

    pub(crate) fn domain(&self) -> Option<&str> {
        match self {
            Self::Project(_) => None,
            Self::Domain(id) => Some(id),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) user_id: String,
    pub(crate) scope: Scope,
    pub(crate) role_id: String,
}

/// Which assignments to list. Absent filters admit everything.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) user_id: Option<&'a str>,
    pub(crate) project_id: Option<&'a str>,
    pub(crate) domain_id: Option<&'a str>,
    pub(crate) role_id: Option<&'a str>,
}

/// Holds already is no error.
pub(crate) async fn insert(
    db: impl SqliteExecutor<'_>,
    assignment: &Assignment,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT OR IGNORE INTO assignments (user_id, project_id, domain_id, role_id)
         VALUES (?, ?, ?, ?)",
    )
    .bind(&assignment.user_id)
    .bind(assignment.scope.project())
    .bind(assignment.scope.domain())
    .bind(&assignment.role_id)
    .execute(db)
    .await
    .map(drop)
}

/// Whether there was one to delete.
pub(crate) async fn delete(
    db: impl SqliteExecutor<'_>,
    assignment: &Assignment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "DELETE FROM assignments
         WHERE user_id = ? AND project_id IS ? AND domain_id IS ? AND role_id = ?",
    )
    .bind(&assignment.user_id)
    .bind(assignment.scope.project())
    .bind(assignment.scope.domain())
    .bind(&assignment.role_id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(crate) async fn list(
    db: impl SqliteExecutor<'_>,
    filter: Filter<'_>,
) -> sqlx::Result<Vec<Assignment>> {
    sqlx::query(
        "SELECT * FROM assignments
         WHERE (?1 IS NULL OR user_id = ?1)
           AND (?2 IS NULL OR project_id = ?2)
           AND (?3 IS NULL OR domain_id = ?3)
           AND (?4 IS NULL OR role_id = ?4)
         ORDER BY user_id, project_id, domain_id, role_id",
    )
    .bind(filter.user_id)
    .bind(filter.project_id)
    .bind(filter.domain_id)
    .bind(filter.role_id)
    .try_map(read)
    .fetch_all(db)
    .await
}

/// The roles that a user holds there, implied ones included.
pub(crate) async fn effective_roles(
    db: impl SqliteExecutor<'_>,
    user_id: &str,
    scope: &Scope,
) -> sqlx::Result<Vec<Role>> {
    sqlx::query(
        "WITH RECURSIVE held (id) AS (
             SELECT role_id FROM assignments
             WHERE user_id = ? AND project_id IS ? AND domain_id IS ?
             UNION SELECT implied_id FROM implied_roles JOIN held ON prior_id = held.id)
         SELECT * FROM roles WHERE id IN (SELECT id FROM held) ORDER BY name",
    )
    .bind(user_id)
    .bind(scope.project())
    .bind(scope.domain())
    .try_map(roles::read)
    .fetch_all(db)
    .await
}

fn read(row: SqliteRow) -> sqlx::Result<Assignment> {
    let (project, domain): (Option<String>, Option<String>) =
        (row.try_get("project_id")?, row.try_get("domain_id")?);
    // The schema's CHECK holds one of them set.
    let scope = match project {
        Some(id) => Scope::Project(id),
        None => Scope::Domain(domain.unwrap_or_default()),
    };
    Ok(Assignment { user_id: row.try_get("user_id")?, scope, role_id: row.try_get("role_id")? })
}
