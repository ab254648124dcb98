//! What differs between databases.

use std::path::Path;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// Begins a transaction that holds the write lock from its start.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// SQLite's primary result code `SQLITE_BUSY`; extended codes hold it in their low byte.
const BUSY: i32 = 5;

/// A write-ahead log lets readers go on beside the writer; with `synchronous=FULL` a commit
/// survives a loss of power.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
}

/// Whether another process held the database for too long.
pub(super) fn is_busy(error: &dyn DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}
