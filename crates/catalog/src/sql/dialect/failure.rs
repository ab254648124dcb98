//! What a database's errors mean.

use std::io;

use sqlx::Error;
use sqlx::error::DatabaseError;

use super::sqlite;

/// Codes of PostgreSQL (Appendix A, "Error Codes"): of a server that stops, starts, has no
/// connection left, or whose connection broke.
const POSTGRES_UNAVAILABLE: [&str; 9] =
    ["57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08004", "08006"];

/// PostgreSQL's `disk_full`.
const POSTGRES_FULL: &str = "53100";

/// PostgreSQL's `serialization_failure`, `deadlock_detected` and `lock_not_available`.
const POSTGRES_LOST_RACE: [&str; 3] = ["40001", "40P01", "55P03"];

/// Numbers of MySQL and MariaDB ("Server Error Message Reference"): too many connections, a server
/// that stops, a connection that was ended, a node that has left its Galera cluster.
const MYSQL_UNAVAILABLE: [u16; 7] = [1040, 1047, 1053, 1203, 1927, 3169, 4031];

/// MySQL's `ER_DISK_FULL` and `ER_RECORD_FILE_FULL`.
const MYSQL_FULL: [u16; 2] = [1021, 1114];

/// MySQL's `ER_LOCK_WAIT_TIMEOUT` and `ER_LOCK_DEADLOCK`, which is also what a Galera cluster says
/// when two of its nodes changed the same row; and MariaDB's `ER_CHECKREAD`.
const MYSQL_LOST_RACE: [u16; 3] = [1205, 1213, 1020];

/// Whether the database can't be reached now, or has too much to do.
pub(in crate::sql) fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::PoolTimedOut | Error::PoolClosed | Error::Io(_) | Error::WorkerCrashed => true,
        Error::Database(cause) => {
            says(cause.as_ref(), sqlite::is_busy, &MYSQL_UNAVAILABLE, &POSTGRES_UNAVAILABLE)
                || is_lost_race(error)
        }
        _ => false,
    }
}

/// The failure once more, where it is that time ran out: no other connection was to be had, or the
/// server hangs.
pub(in crate::sql) fn out_of_time(error: &Error) -> Option<Error> {
    match error {
        Error::PoolTimedOut => Some(Error::PoolTimedOut),
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            Some(Error::Io(io::Error::new(error.kind(), error.to_string())))
        }
        _ => None,
    }
}

/// PostgreSQL's `read_only_sql_transaction`.
const POSTGRES_READ_ONLY: &str = "25006";

/// MySQL's `ER_OPTION_PREVENTS_STATEMENT`, which is what `read_only` and `super_read_only` do, its
/// `ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION` and `ER_READ_ONLY_MODE`.
const MYSQL_READ_ONLY: [u16; 3] = [1290, 1792, 1836];

/// Whether the database takes no changes, as a replica does, or one under maintenance.
pub(in crate::sql) fn is_read_only(error: &Error) -> bool {
    error.as_database_error().is_some_and(|cause| {
        says(cause, sqlite::is_read_only, &MYSQL_READ_ONLY, &[POSTGRES_READ_ONLY])
    })
}

/// Whether the disk had no room.
pub(in crate::sql) fn is_full(error: &Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|cause| says(cause, sqlite::is_full, &MYSQL_FULL, &[POSTGRES_FULL]))
}

/// Whether the transaction was undone because another one was in its way: it may be repeated.
pub(in crate::sql) fn is_lost_race(error: &Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|cause| says(cause, |_| false, &MYSQL_LOST_RACE, &POSTGRES_LOST_RACE))
}

fn says(
    error: &dyn DatabaseError,
    sqlite: impl Fn(&dyn DatabaseError) -> bool,
    mysql: &[u16],
    postgres: &[&str],
) -> bool {
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return mysql.contains(&error.number());
    }
    match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(error) => postgres.contains(&error.code()),
        None => sqlite(error),
    }
}
