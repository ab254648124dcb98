//! What a database's errors mean.

use std::io;

use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::sqlite;
use crate::BadText;

/// Codes of PostgreSQL (Appendix A, "Error Codes") that end a connection: of a server that stops or
/// starts, of a time limit for those who do nothing, of a connection that broke; `08P01` is what
/// PgBouncer says when it has lost its own.
const POSTGRES_PARTING: [&str; 11] = [
    "57P01", "57P02", "57P03", "57P05", "25P03", "08000", "08001", "08003", "08004", "08006",
    "08P01",
];

/// Those of a server that has too much to do: no connection or memory left, a statement that an
/// administrator or a time limit ended.
const POSTGRES_BUSY: [&str; 3] = ["53300", "53200", "57014"];

/// Numbers of MySQL and MariaDB ("Server Error Message Reference") that end a connection: a server
/// that stops, a connection that was ended, a node that has left its Galera cluster.
const MYSQL_PARTING: [u16; 4] = [1047, 1053, 1927, 4031];

/// Those of a server that has too much to do, or that has had enough: connections, prepared
/// statements, or what an account may use; a statement that an administrator or a time limit ended
/// (one of MariaDB's and one of MySQL's); a commit that failed in a Galera cluster; and what ProxySQL
/// says where it finds no server in time.
const MYSQL_BUSY: [u16; 11] = [1040, 1129, 1180, 1203, 1226, 1317, 1461, 1969, 3024, 3169, 9001];

/// PostgreSQL's `disk_full`.
const POSTGRES_FULL: &str = "53100";

/// PostgreSQL's `serialization_failure`, `deadlock_detected` and `lock_not_available`.
const POSTGRES_LOST_RACE: [&str; 3] = ["40001", "40P01", "55P03"];

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
            says(cause.as_ref(), sqlite::is_busy, &MYSQL_BUSY, &POSTGRES_BUSY)
                || is_lost_race(error)
                || ends_connection(cause.as_ref())
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

/// Whether a server is not the one to ask any more, and another connection may lead to one that is:
/// it stops, has left its cluster, takes no changes since another one does, or an answer of it was lost.
pub(super) fn is_parting(error: &Error) -> bool {
    let is_lost =
        matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::ConnectionAborted);
    let takes_no_change = |cause| says(cause, |_| false, &MYSQL_READ_ONLY, &[POSTGRES_READ_ONLY]);
    let says_so = |cause| ends_connection(cause) || takes_no_change(cause);
    is_lost || error.as_database_error().is_some_and(says_so)
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

/// PostgreSQL's `string_data_right_truncation`.
const POSTGRES_TOO_LONG: &str = "22001";

/// PostgreSQL's `character_not_in_repertoire` and `untranslatable_character`.
const POSTGRES_CHARACTER: [&str; 2] = ["22021", "22P05"];

/// MySQL's `ER_DATA_TOO_LONG`.
const MYSQL_TOO_LONG: u16 = 1406;

/// MySQL's `ER_TRUNCATED_WRONG_VALUE_FOR_FIELD`, of a text that is written: all other values are what
/// their columns are.
const MYSQL_CHARACTER: u16 = 1366;

/// The same of a text that is searched for: MariaDB's `ER_CANT_AGGREGATE_2COLLATIONS`,
/// `ER_CANT_AGGREGATE_3COLLATIONS` and `ER_CANT_AGGREGATE_NCOLLATIONS`, which two columns lead to as
/// well, and MySQL's `ER_IMPOSSIBLE_STRING_CONVERSION`.
const MYSQL_COLLATIONS: [u16; 3] = [1267, 1270, 1271];
const MYSQL_CONVERSION: u16 = 3988;

/// What MariaDB calls the collation of a value. One whose characters the column has is converted.
const OF_A_VALUE: &str = "COERCIBLE)";

/// Why the database can't hold a text, where it is that.
pub(in crate::sql) fn bad_text(error: &Error) -> Option<BadText> {
    let error = error.as_database_error()?;
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return match error.code() {
            POSTGRES_TOO_LONG => Some(BadText::TooLong(error.column().map(str::to_owned))),
            code => POSTGRES_CHARACTER.contains(&code).then_some(BadText::Character),
        };
    }
    let error = error.try_downcast_ref::<MySqlDatabaseError>()?;
    match error.number() {
        MYSQL_TOO_LONG => Some(BadText::TooLong(column(error.message()))),
        MYSQL_CHARACTER => Some(BadText::FourBytes(column(error.message()))),
        MYSQL_CONVERSION => Some(BadText::FourBytes(None)),
        number => (MYSQL_COLLATIONS.contains(&number) && error.message().contains(OF_A_VALUE))
            .then_some(BadText::FourBytes(None)),
    }
}

/// The column that a message of MySQL's ends with, in whatever language: what is quoted last, as in
/// "Data too long for column 'name' at row 1".
fn column(message: &str) -> Option<String> {
    let named = message.rsplit(['\'', '`']).nth(1)?;
    let is_name = named.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| named.to_owned())
}

fn ends_connection(error: &dyn DatabaseError) -> bool {
    says(error, |_| false, &MYSQL_PARTING, &POSTGRES_PARTING)
}

fn says(
    error: &dyn DatabaseError,
    sqlite: impl Fn(&dyn DatabaseError) -> bool,
    mysql: &[u16],
    postgres: &[&str],
) -> bool {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return mysql.contains(&error.number());
    }
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => postgres.contains(&error.code()),
        None => sqlite(error),
    }
}
