//! Rows, whose columns are read as the types of this crate.

use image::Timestamp;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Error, Row as _};

use super::{mysql, postgres, time};

/// A row that a query found.
pub(in crate::sql) enum Row {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
    Postgres(PgRow),
}

/// Where a column is: its name, or its place.
pub(in crate::sql) trait At:
    ColumnIndex<SqliteRow> + ColumnIndex<MySqlRow> + ColumnIndex<PgRow> + std::fmt::Debug
{
}

impl At for &str {}
impl At for usize {}

/// What a column may be read as.
pub(in crate::sql) trait Column<'r>: Sized {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error>;
}

/// The same, or null.
pub(in crate::sql) trait Get<'r>: Sized {
    fn get(row: &'r Row, at: impl At) -> Result<Self, Error>;
}

impl Row {
    /// The value of a column.
    pub(in crate::sql) fn try_get<'r, T: Get<'r>>(&'r self, at: impl At) -> Result<T, Error> {
        T::get(self, at)
    }
}

impl<'r> Column<'r> for &'r str {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error> {
        match row {
            Row::Sqlite(row) => row.try_get(at),
            Row::MySql(row) => row.try_get(at),
            // A visibility is an enumeration there, which comes as text.
            Row::Postgres(row) => row.try_get_unchecked(at),
        }
    }
}

impl<'r> Column<'r> for String {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error> {
        Ok(<&str>::read(row, at)?.map(str::to_owned))
    }
}

/// Columns of numbers have several widths; all are read as the widest.
impl<'r> Column<'r> for i64 {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error> {
        match row {
            Row::Sqlite(row) => row.try_get(at),
            Row::MySql(row) => row.try_get(at),
            Row::Postgres(row) => row.try_get_unchecked(at),
        }
    }
}

/// MySQL has numbers for truth.
impl<'r> Column<'r> for bool {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error> {
        match row {
            Row::Sqlite(row) => row.try_get(at),
            Row::MySql(row) => Ok(row.try_get::<Option<i64>, _>(at)?.map(|number| number != 0)),
            Row::Postgres(row) => row.try_get(at),
        }
    }
}

impl<'r> Column<'r> for Timestamp {
    fn read(row: &'r Row, at: impl At) -> Result<Option<Self>, Error> {
        match row {
            Row::Sqlite(row) => {
                let index = at.index(row)?;
                let text: Option<&str> = row.try_get(index)?;
                let parse = |text| time::from_text(text).ok_or_else(|| no_time(index, text));
                text.map(parse).transpose()
            }
            Row::MySql(row) => Ok(row.try_get::<Option<mysql::Time>, _>(at)?.map(|time| time.0)),
            Row::Postgres(row) => {
                Ok(row.try_get::<Option<postgres::Time>, _>(at)?.map(|time| time.0))
            }
        }
    }
}

fn no_time(index: usize, text: &str) -> Error {
    Error::ColumnDecode { index: index.to_string(), source: format!("no time: '{text}'").into() }
}

/// A column that may be null, and one that may not.
macro_rules! get {
    ($($kind:ty),*) => {$(
        impl<'r> Get<'r> for Option<$kind> {
            fn get(row: &'r Row, at: impl At) -> Result<Self, Error> {
                <$kind>::read(row, at)
            }
        }
        impl<'r> Get<'r> for $kind {
            fn get(row: &'r Row, at: impl At) -> Result<Self, Error> {
                let name = format_args!("{at:?}").to_string();
                let null = || Error::ColumnDecode { index: name, source: "null".into() };
                <$kind>::read(row, at)?.ok_or_else(null)
            }
        }
    )*};
}

get!(&'r str, String, i64, bool, Timestamp);
