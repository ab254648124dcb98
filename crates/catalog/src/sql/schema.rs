//! Glance's tables: made in a fresh database, recognized in an old one.

use sqlx::SqlitePool;

use crate::{Error, Result};

/// The head of Glance 33's migrations (`glance/db/sqlalchemy/alembic_migrations/versions`).
pub(super) const REVISION: &str = "2024_1_contract01";

/// Creates the tables where there are none, and refuses other revisions.
pub(super) async fn ensure(writer: &SqlitePool) -> Result<()> {
    match revision(writer).await? {
        Some(found) if found == REVISION => Ok(()),
        Some(found) => Err(Error::Schema { found, known: REVISION }),
        None => create(writer).await,
    }
}

/// The revision of the database; `None` when it is empty.
async fn revision(writer: &SqlitePool) -> Result<Option<String>> {
    let there = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('alembic_version', 'images')";
    let tables: Vec<String> = sqlx::query_scalar(there).fetch_all(writer).await?;
    if tables.is_empty() {
        return Ok(None);
    }
    let unknown = || Ok(Some("none".to_owned()));
    if !tables.iter().any(|name| name == "alembic_version") {
        return unknown();
    }
    let found = sqlx::query_scalar("SELECT version_num FROM alembic_version");
    found.fetch_optional(writer).await?.map_or_else(unknown, |found| Ok(Some(found)))
}

/// All tables in one transaction: an interrupted start finds none of them.
async fn create(writer: &SqlitePool) -> Result<()> {
    let mut transaction = writer.begin_with(super::dialect::BEGIN_WRITE).await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO alembic_version (version_num) VALUES (?)")
        .bind(REVISION)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
