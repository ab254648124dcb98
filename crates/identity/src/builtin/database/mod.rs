//! What the built-in identity remembers: a SQLite file of its own, apart from the image catalog.

pub(super) mod assignments;
pub(super) mod domains;
pub(super) mod json;
pub(super) mod projects;
pub(super) mod roles;
pub(super) mod tokens;
pub(super) mod users;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::OpenError;

/// The version of the schema below, kept in SQLite's `user_version`.
const VERSION: i64 = 1;

const SCHEMA: &str = include_str!("schema.sql");

/// Opens or creates the file at `path`, for its owner's eyes only.
pub(super) async fn open(path: &Path) -> Result<SqlitePool, OpenError> {
    create_private(path).map_err(|source| OpenError::File { path: path.into(), source })?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // A revoked token must stay so after a power failure.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    migrate(&pool).await?;
    Ok(pool)
}

/// SQLite gives its journal files the permissions of the database.
fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

async fn migrate(pool: &SqlitePool) -> Result<(), OpenError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    match found {
        VERSION => return Ok(()),
        0 => sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?,
        _ => return Err(OpenError::Version { found, known: VERSION }),
    };
    Ok(transaction.commit().await?)
}

/// Whether `error` says that a name is taken.
pub(super) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}
