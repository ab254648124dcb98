//! The databases that a catalog may be in, and all that differs between them.
//!
//! Statements are written once, as [`Query`]: text with `?` for values, and with words in braces
//! for what databases spell differently ([`words`]). What runs it is a [`Connection`] of one of
//! three kinds; what comes back is a [`Row`], whose columns are read as this crate's types. Which
//! kind it is decides one `match` in each of these, once for each statement.

mod connection;
mod failure;
mod lent;
mod lost;
mod mysql;
mod postgres;
mod query;
mod row;
mod server;
mod sqlite;
mod time;
mod value;
mod words;

pub(super) use connection::{Connection, Pool, Transaction};
pub(super) use failure::{
    bad_text, is_full, is_lost_race, is_read_only, is_unavailable, out_of_time,
};
pub(super) use query::{Query, query};
pub(super) use row::{Get, Row};
pub(super) use value::Value;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// SQLite.
    Sqlite,
    /// MySQL and MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// Lists the tables that say whether a database is Glance's.
    pub(super) fn known_tables(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::KNOWN_TABLES,
            Self::MySql => mysql::KNOWN_TABLES,
            Self::Postgres => postgres::KNOWN_TABLES,
        }
    }

    /// Lists the indexes that are not Glance's.
    pub(super) fn known_indexes(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::KNOWN_INDEXES,
            Self::MySql => mysql::KNOWN_INDEXES,
            Self::Postgres => postgres::KNOWN_INDEXES,
        }
    }

    /// Waits until nobody else makes tables, and says 1 then. Where every transaction that writes
    /// does that from its start, there is nothing to do.
    pub(super) fn lock_tables(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::MySql => Some(mysql::LOCK_TABLES),
            Self::Postgres => Some(postgres::LOCK_TABLES),
        }
    }

    /// Lets others make tables, where the end of the transaction does not.
    pub(super) fn unlock_tables(self) -> Option<&'static str> {
        match self {
            Self::Sqlite | Self::Postgres => None,
            Self::MySql => Some(mysql::UNLOCK_TABLES),
        }
    }

    /// Makes Glance's tables.
    pub(super) fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => include_str!("../schema/sqlite.sql"),
            Self::MySql => include_str!("../schema/mysql.sql"),
            Self::Postgres => include_str!("../schema/postgres.sql"),
        }
    }
}
