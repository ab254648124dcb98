//! SQLite.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// Begins a transaction that holds the write lock from its start.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Begins a transaction that reads one state of the database.
pub(super) const SNAPSHOT: &str = "BEGIN";

/// Lists the tables that say whether a database is Glance's.
pub(super) const KNOWN_TABLES: &str = "SELECT name FROM sqlite_master \
     WHERE type = 'table' AND name IN ('alembic_version', 'images')";

/// Lists the indexes that are not Glance's.
pub(super) const KNOWN_INDEXES: &str =
    "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'tintype%'";

/// SQLite's primary result code `SQLITE_BUSY`; extended codes hold it in their low byte.
const BUSY: i32 = 5;

/// SQLite's result code `SQLITE_READONLY`.
const READ_ONLY: i32 = 8;

/// SQLite's result code `SQLITE_FULL`.
const FULL: i32 = 13;

/// How long a writer waits for another process.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long whoever was refused while a file was being made waits before the next try.
const PAUSE: Duration = Duration::from_millis(20);

/// A file as it is: nothing about it changes before its revision is known.
pub(super) fn untouched(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE)
}

/// Whether this process may not write the file: its changes are refused, and it can be read.
pub(super) fn is_write_protected(path: &Path) -> bool {
    let protected = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    let opened = OpenOptions::new().append(true).open(path);
    opened.is_err_and(|error| protected.contains(&error.kind()))
}

/// A file that is only read. In a folder where nothing may be made, SQLite reads a file with a
/// write-ahead log only when told that nobody changes it; where the log isn't empty, it can't be.
pub(super) async fn as_it_is(path: &Path) -> sqlx::Result<SqliteConnectOptions> {
    let options = untouched(path).read_only(true);
    let mut db = options.connect().await?;
    match sqlx::query(KNOWN_TABLES).fetch_all(&mut db).await {
        Err(_) if is_write_protected(path) && !has_log(path) => Ok(options.immutable(true)),
        read => read.map(|_| options),
    }
}

/// Whether a write-ahead log beside the file holds something.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// A write-ahead log lets readers go on beside the writer; with `synchronous=FULL` a commit
/// survives a loss of power. Foreign keys are held, as Glance holds them.
pub(super) fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
}

/// A connection that reads keeps so much of the file at hand: what a page of 25 images among a million
/// is found by and made of, twice over. SQLite's own 2 MiB are less than once, and then it finds none
/// of it again.
pub(super) fn for_lists(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.read_only(true).pragma("cache_size", "-6144")
}

/// A file that is opened while others may be making it. SQLite waits for whoever writes, but when
/// several turn on the write-ahead log at once it refuses all but one of them, without waiting
/// ("Write-Ahead Logging", section "Sometimes Queries Return SQLITE_BUSY In WAL Mode"): they try
/// again.
pub(super) struct Opening(Instant);

impl Opening {
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Whether to try again now, after opening it ended so.
    pub(super) async fn again(&self, error: &sqlx::Error) -> bool {
        let refused = error.as_database_error().is_some_and(is_busy);
        let again = refused && self.0.elapsed() < PATIENCE;
        if again {
            tokio::time::sleep(PAUSE).await;
        }
        again
    }
}

/// Whether another process held the database for too long.
pub(super) fn is_busy(error: &dyn DatabaseError) -> bool {
    primary_code(error) == Some(BUSY)
}

/// Whether the file may not be written.
pub(super) fn is_read_only(error: &dyn DatabaseError) -> bool {
    primary_code(error) == Some(READ_ONLY)
}

/// Whether the disk had no room.
pub(super) fn is_full(error: &dyn DatabaseError) -> bool {
    primary_code(error) == Some(FULL)
}

fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    let code = error.code()?.parse::<i32>().ok()?;
    Some(code & 0xff)
}
