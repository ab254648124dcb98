//! PostgreSQL.

use image::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use super::super::database::Wanted;

/// What each connection begins with, to be refused by a server that is not wanted, as by one that does
/// not take connections now.
pub(super) fn opening(wanted: Wanted) -> Option<String> {
    let (is_not, text) = match wanted {
        Wanted::Any => return None,
        Wanted::ReadWrite => (WRITES_NOTHING.to_owned(), "sessions of this server may not write"),
        Wanted::ReadOnly => (format!("NOT {WRITES_NOTHING}"), "sessions of this server may write"),
        Wanted::Primary => (IS_STANDBY.to_owned(), "this server is a standby"),
        Wanted::Standby => (format!("NOT {IS_STANDBY}"), "this server is no standby"),
    };
    Some(format!(
        "DO $$ BEGIN IF {is_not} THEN RAISE EXCEPTION USING ERRCODE = 'cannot_connect_now', \
         MESSAGE = '{text}, as target_session_attrs has it'; END IF; END $$"
    ))
}

/// Source: "target_session_attrs" of libpq's documentation.
const WRITES_NOTHING: &str = "CAST(current_setting('transaction_read_only') AS BOOLEAN)";

/// Source: the same.
const IS_STANDBY: &str = "pg_is_in_recovery()";

/// Begins a transaction that sees what others have committed when it looks: what it locks is as it
/// reads it then.
pub(super) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins a transaction that reads one state of the database.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Lists the tables that say whether a database is Glance's.
pub(super) const KNOWN_TABLES: &str = "SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables \
     WHERE schemaname = CURRENT_SCHEMA AND tablename IN ('alembic_version', 'images')";

/// Lists the indexes that are not Glance's. One whose making was interrupted is there, and not valid.
pub(super) const KNOWN_INDEXES: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_catalog.pg_index i \
     JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = CURRENT_SCHEMA AND i.indisvalid AND c.relname LIKE 'tintype%'";

/// For how long the server has been at what it has been at for the longest time for this account, in
/// seconds. An account sees its own sessions, whatever its rights; one that does not tell what it is at
/// (`track_activities`) is taken for one that has been at it for ever.
pub(super) const LONGEST_WORK: &str = "SELECT CAST(COALESCE(MAX(COALESCE( \
     EXTRACT(EPOCH FROM clock_timestamp() - query_start), 1000000)), 0) AS BIGINT) \
     FROM pg_catalog.pg_stat_activity WHERE usename = SESSION_USER \
     AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() \
     AND COALESCE(state, '') NOT LIKE 'idle%'";

/// Waits until nobody else makes tables in this database, up to the end of the transaction. The
/// number is the word `tintype`, in bytes.
pub(super) const LOCK_TABLES: &str =
    "SELECT CAST(1 AS BIGINT) FROM pg_advisory_xact_lock(32767020419870821)";

/// `timestamp`, in the catalog `pg_type`.
const TIMESTAMP: Oid = Oid(1114);

/// `unknown`, in the same catalog: the server finds out.
const UNKNOWN: Oid = Oid(705);

/// A text, for columns that hold text and for enumerations.
pub(super) struct Text(pub(super) String);

impl Type<Postgres> for Text {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UNKNOWN)
    }
}

impl Encode<'_, Postgres> for Text {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<Postgres>>::encode(self.0.as_str(), buffer)
    }
}

/// 2000-01-01, from which PostgreSQL counts microseconds, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// The instant that a `timestamp` holds.
pub(super) struct Time(pub(super) Timestamp);

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMP)
    }

    fn compatible(of: &PgTypeInfo) -> bool {
        of.oid() == Some(TIMESTAMP)
    }
}

impl Encode<'_, Postgres> for Time {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.0.as_microsecond().saturating_sub(EPOCH), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(Timestamp::from_microsecond(micros.saturating_add(EPOCH))))
    }
}
