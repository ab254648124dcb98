//! Values that statements are given. A null has a type too: PostgreSQL asks for it.

use image::Timestamp;
use sqlx::error::BoxDynError;
use sqlx::{Arguments, MySql, Postgres, Sqlite};

use super::{mysql, postgres, time};

/// A value.
#[derive(Debug, Clone)]
pub(in crate::sql) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(Option<bool>),
    Time(Option<Timestamp>),
}

/// What becomes a [`Value`], or a null of its type.
macro_rules! becomes {
    ($($from:ty => $kind:ident, $value:ident => $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$kind(Some($to))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map(|$value| $to))
            }
        }
    )*};
}

becomes! {
    String => Text, value => value;
    &String => Text, value => value.clone();
    &str => Text, value => value.to_owned();
    i64 => Number, value => value;
    u32 => Number, value => value.into();
    bool => Flag, value => value;
    Timestamp => Time, value => value;
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

pub(super) type Bound<DB> = Result<<DB as sqlx::Database>::Arguments, BoxDynError>;

pub(super) fn sqlite(values: Vec<Value>) -> Bound<Sqlite> {
    let mut arguments = sqlx::sqlite::SqliteArguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Flag(flag) => arguments.add(flag),
            Value::Time(instant) => arguments.add(instant.map(time::to_text)),
        }?;
    }
    Ok(arguments)
}

pub(super) fn mysql(values: Vec<Value>) -> Bound<MySql> {
    let mut arguments = sqlx::mysql::MySqlArguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Flag(flag) => arguments.add(flag),
            Value::Time(instant) => arguments.add(instant.map(mysql::to_text)),
        }?;
    }
    Ok(arguments)
}

pub(super) fn postgres(values: Vec<Value>) -> Bound<Postgres> {
    let mut arguments = sqlx::postgres::PgArguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(text.map(postgres::Text)),
            Value::Number(number) => arguments.add(number),
            Value::Flag(flag) => arguments.add(flag),
            Value::Time(instant) => arguments.add(instant.map(postgres::Time)),
        }?;
    }
    Ok(arguments)
}
