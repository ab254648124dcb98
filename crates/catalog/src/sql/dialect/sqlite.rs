//! SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// Begins a transaction that holds the write lock from its start.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Lists the tables that say whether a database is Glance's.
pub(super) const KNOWN_TABLES: &str = "SELECT name FROM sqlite_master \
     WHERE type = 'table' AND name IN ('alembic_version', 'images')";

/// SQLite's primary result code `SQLITE_BUSY`; extended codes hold it in their low byte.
const BUSY: i32 = 5;

/// SQLite's result code `SQLITE_FULL`.
const FULL: i32 = 13;

/// How long a writer waits for another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file as it is: nothing about it changes before its revision is known.
pub(in crate::sql) fn untouched(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE)
}

/// A write-ahead log lets readers go on beside the writer; with `synchronous=FULL` a commit
/// survives a loss of power. Foreign keys are held, as Glance holds them.
pub(in crate::sql) fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
}

/// Connections stay open: opening one costs more than keeping it, and one in memory is its data.
pub(in crate::sql) fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Whether another process held the database for too long.
pub(super) fn is_busy(error: &dyn DatabaseError) -> bool {
    primary_code(error) == Some(BUSY)
}

/// Whether the disk had no room.
pub(super) fn is_full(error: &dyn DatabaseError) -> bool {
    primary_code(error) == Some(FULL)
}

fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    let code = error.code()?.parse::<i32>().ok()?;
    Some(code & 0xff)
}
