//! Statements: text, and the values that it has `?` for.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;

use super::connection::{Connection, Inner};
use super::row::Get;
use super::value::{self, Value};
use super::{Row, words};

/// A statement. Nothing that a user says becomes part of its text.
#[derive(Debug)]
pub(in crate::sql) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// What the database answers. A connection that is dropped before is in the middle of something.
macro_rules! answer {
    ($db:ident, $asked:expr) => {{
        let (server, pace) = $db.begin_work();
        let answer = server.answer(pace, $asked).await;
        $db.end_work(&answer);
        answer?
    }};
}

/// A statement whose text is known.
pub(in crate::sql) fn query(sql: impl Into<Cow<'static, str>>) -> Query {
    Query::new(sql)
}

impl Query {
    pub(in crate::sql) fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// Adds text.
    pub(in crate::sql) fn push(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.sql.to_mut().push_str(text.as_ref());
        self
    }

    /// Adds a `?`, and its value.
    pub(in crate::sql) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.push("?")
    }

    /// Adds a statement, with its values.
    pub(in crate::sql) fn append(&mut self, other: Self) -> &mut Self {
        self.values.extend(other.values);
        self.push(other.sql)
    }

    /// Adds a list, with that between its entries.
    pub(in crate::sql) fn separated(&mut self, separator: &'static str) -> Separated<'_> {
        Separated { query: self, separator, first: true }
    }

    /// Gives the next `?` its value.
    pub(in crate::sql) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it; says how many rows it changed, or found to be so already.
    pub(in crate::sql) async fn execute(&mut self, db: &mut Connection) -> sqlx::Result<u64> {
        let (sql, values) = self.take(db);
        Ok(match &mut db.inner {
            Inner::Sqlite(db) => {
                let query = sqlx::query_with(sql, value::sqlite(values).map_err(encode)?);
                answer!(db, query.execute(&mut **db)).rows_affected()
            }
            Inner::MySql(db) => {
                let query = sqlx::query_with(sql, value::mysql(values).map_err(encode)?);
                answer!(db, query.execute(&mut **db)).rows_affected()
            }
            Inner::Postgres(db) => {
                let query = sqlx::query_with(sql, value::postgres(values).map_err(encode)?);
                answer!(db, query.execute(&mut **db)).rows_affected()
            }
        })
    }

    /// All rows that it finds.
    pub(in crate::sql) async fn fetch_all(
        &mut self,
        db: &mut Connection,
    ) -> sqlx::Result<Vec<Row>> {
        let (sql, values) = self.take(db);
        Ok(match &mut db.inner {
            Inner::Sqlite(db) => {
                let query = sqlx::query_with(sql, value::sqlite(values).map_err(encode)?);
                answer!(db, query.fetch_all(&mut **db)).into_iter().map(Row::Sqlite).collect()
            }
            Inner::MySql(db) => {
                let query = sqlx::query_with(sql, value::mysql(values).map_err(encode)?);
                answer!(db, query.fetch_all(&mut **db)).into_iter().map(Row::MySql).collect()
            }
            Inner::Postgres(db) => {
                let query = sqlx::query_with(sql, value::postgres(values).map_err(encode)?);
                answer!(db, query.fetch_all(&mut **db)).into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row, if there is one.
    pub(in crate::sql) async fn fetch_optional(
        &mut self,
        db: &mut Connection,
    ) -> sqlx::Result<Option<Row>> {
        Ok(self.fetch_all(db).await?.into_iter().next())
    }

    /// The first row. Errors: `RowNotFound`.
    pub(in crate::sql) async fn fetch_one(&mut self, db: &mut Connection) -> sqlx::Result<Row> {
        self.fetch_optional(db).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The first column of every row.
    pub(in crate::sql) async fn column<T>(&mut self, db: &mut Connection) -> sqlx::Result<Vec<T>>
    where
        T: for<'r> Get<'r>,
    {
        self.fetch_all(db).await?.iter().map(|row| row.try_get(0)).collect()
    }

    /// The first column of the first row, if there is one.
    pub(in crate::sql) async fn value<T>(&mut self, db: &mut Connection) -> sqlx::Result<Option<T>>
    where
        T: for<'r> Get<'r>,
    {
        self.fetch_optional(db).await?.map(|row| row.try_get(0)).transpose()
    }

    /// The first column of the only row. Errors: `RowNotFound`.
    pub(in crate::sql) async fn only<T>(&mut self, db: &mut Connection) -> sqlx::Result<T>
    where
        T: for<'r> Get<'r>,
    {
        self.fetch_one(db).await?.try_get(0)
    }

    /// The statement in the spelling of the connection's database, with its values.
    fn take(&mut self, db: &Connection) -> (AssertSqlSafe<Cow<'static, str>>, Vec<Value>) {
        let sql = words::spell(db.dialect(), std::mem::take(&mut self.sql));
        tracing::trace!(%sql, "statement");
        (AssertSqlSafe(sql), std::mem::take(&mut self.values))
    }
}

fn encode(error: sqlx::error::BoxDynError) -> sqlx::Error {
    sqlx::Error::Encode(error)
}

/// A list that is added to a statement.
pub(in crate::sql) struct Separated<'a> {
    query: &'a mut Query,
    separator: &'static str,
    first: bool,
}

impl Separated<'_> {
    /// Adds an entry.
    pub(in crate::sql) fn push(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.separate();
        self.query.push(text);
        self
    }

    /// Adds a value as an entry.
    pub(in crate::sql) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.separate();
        self.query.push_bind(value);
        self
    }

    /// Adds to the last entry.
    pub(in crate::sql) fn push_unseparated(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.query.push(text);
        self
    }

    /// Adds a value to the last entry.
    pub(in crate::sql) fn bind_unseparated(&mut self, value: impl Into<Value>) -> &mut Self {
        self.query.push_bind(value);
        self
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.query.push(self.separator);
        }
    }
}
