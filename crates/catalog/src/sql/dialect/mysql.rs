//! MySQL and MariaDB.

use image::Timestamp;
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySqlTypeInfo, MySqlValueRef};
use sqlx::{Decode, MySql, Type, TypeInfo};

use super::time;

/// What each connection begins with: one round trip. `wsrep_sync_wait` makes it see what was done on
/// other nodes of a Galera cluster before it looks: a sum of 1 for reads, 2 for updates and deletions,
/// 4 for insertions, 8 for `SHOW`. Source: "wsrep_sync_wait" of Galera's documentation; oslo.db sends
/// it and the mode, too.
pub(super) fn opening(sql_mode: Option<&str>, wsrep_sync_wait: Option<u32>) -> String {
    let mode = sql_mode.map(|mode| format!("sql_mode = '{}'", mode.replace('\'', "''")));
    let wait = wsrep_sync_wait.map(|what| format!("wsrep_sync_wait = {what}"));
    let further = mode.into_iter().chain(wait);
    further.fold("SET NAMES utf8mb4, time_zone = '+00:00'".into(), |all, one| all + ", " + &one)
}

/// Begins a transaction that sees what others have committed when it looks: what it locks is as it
/// reads it then.
pub(super) const BEGIN_WRITE: &str =
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION";

/// Begins a transaction that reads one state of the database.
pub(super) const SNAPSHOT: &str =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY";

/// Lists the tables that say whether a database is Glance's.
pub(super) const KNOWN_TABLES: &str = "SELECT table_name FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_name IN ('alembic_version', 'images')";

/// Lists the indexes that are not Glance's.
pub(super) const KNOWN_INDEXES: &str = "SELECT DISTINCT index_name \
     FROM information_schema.statistics \
     WHERE table_schema = DATABASE() AND index_name LIKE 'tintype%'";

/// For how long the server has been at what it has been at for the longest time for this account, in
/// seconds. An account sees its own sessions, whatever its rights.
pub(super) const LONGEST_WORK: &str = "SELECT CAST(COALESCE(MAX(time), 0) AS SIGNED) \
     FROM information_schema.processlist WHERE command <> 'Sleep' AND id <> CONNECTION_ID() \
     AND LEFT(USER(), CHAR_LENGTH(user) + 1) = CONCAT(user, '@')";

/// Waits, ten minutes at most, until nobody else makes tables in this database. What makes tables
/// ends transactions, so the lock is the connection's.
pub(super) const LOCK_TABLES: &str =
    "SELECT CAST(GET_LOCK(CONCAT('tintype-', MD5(DATABASE())), 600) AS SIGNED)";

/// Ends that.
pub(super) const UNLOCK_TABLES: &str = "DO RELEASE_LOCK(CONCAT('tintype-', MD5(DATABASE())))";

/// The text of an instant. Glance's columns keep whole seconds, which one version of the server
/// rounds to and another cuts to; a time that is compared has to be what the column would be.
pub(super) fn to_text(instant: Timestamp) -> String {
    let mut text = time::to_text(instant);
    text.truncate("2026-11-24 15:01:22".len());
    text
}

/// The instant that a `DATETIME` holds.
pub(super) struct Time(pub(super) Timestamp);

impl Type<MySql> for Time {
    fn type_info() -> MySqlTypeInfo {
        <String as Type<MySql>>::type_info()
    }

    fn compatible(of: &MySqlTypeInfo) -> bool {
        matches!(of.name(), "DATETIME" | "TIMESTAMP")
    }
}

impl<'r> Decode<'r, MySql> for Time {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<MySql>>::decode(value)?;
        Ok(Self(instant(bytes).ok_or_else(|| format!("no time: {bytes:?}"))?))
    }
}

/// Source: "Binary Protocol Value", `MYSQL_TYPE_DATETIME`, of MySQL's internals manual. What is zero
/// at the end is left out.
fn instant(bytes: &[u8]) -> Option<Timestamp> {
    let (length, bytes) = bytes.split_first()?;
    let bytes = bytes.get(..usize::from(*length))?;
    let part = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let signed = |at: usize| i8::try_from(part(at)).ok();
    let year = i16::from_le_bytes([part(0), part(1)]);
    let micros = u32::from_le_bytes([part(7), part(8), part(9), part(10)]);
    let nanos = i32::try_from(micros.checked_mul(1000)?).ok()?;
    let (month, day) = (signed(2)?, signed(3)?);
    let (hour, minute, second) = (signed(4)?, signed(5)?, signed(6)?);
    time::instant(jiff::civil::DateTime::new(year, month, day, hour, minute, second, nanos).ok()?)
}
