//! Connections, and their pools.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Database, MySql, MySqlPool, PgPool, Postgres, Sqlite, SqlitePool};

use super::super::database::{self, Limits, Place};
use super::super::sealed::Urls;
use super::{Dialect, is_unavailable, mysql, postgres, sqlite};

/// The connections to one database.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Pool {
    server: Server,
    /// How the URLs of locations are written there.
    urls: Urls,
}

#[derive(Debug, Clone)]
enum Server {
    Sqlite {
        readers: SqlitePool,
        /// One connection: writers wait their turn here, and never see `database is locked`.
        writer: SqlitePool,
    },
    MySql(MySqlPool),
    Postgres(PgPool),
}

/// A connection, in a transaction or not.
pub(in crate::sql) struct Connection {
    pub(super) inner: Inner,
    urls: Urls,
}

pub(super) enum Inner {
    Sqlite(Own<Sqlite>),
    MySql(Own<MySql>),
    Postgres(Own<Postgres>),
}

pub(super) enum Own<DB: Database> {
    Plain(PoolConnection<DB>),
    Transaction(sqlx::Transaction<'static, DB>),
}

/// A transaction, undone unless it is committed.
pub(in crate::sql) struct Transaction(Connection);

/// Connections that read an SQLite file at the same time, at most.
const READERS: u32 = 4;

impl Pool {
    /// The connections to a database. The first one is waited for, as long as the limits say.
    pub(in crate::sql) async fn of(database: &database::Database) -> sqlx::Result<Self> {
        let limits = &database.limits;
        let server = match &database.place {
            Place::File(path) => Server::of_file(path).await?,
            Place::MySql(to) => Server::MySql(reached(&**to, limits).await?),
            Place::Postgres(to) => Server::Postgres(reached(&**to, limits).await?),
        };
        Ok(Self { server, urls: Urls(database.location_key.clone()) })
    }

    /// One connection to an SQLite database in memory.
    pub(in crate::sql) async fn in_memory() -> sqlx::Result<Self> {
        let options = sqlite::durable("sqlite::memory:".parse()?);
        let writer = sqlite::pool(1).connect_with(options).await?;
        let server = Server::Sqlite { readers: writer.clone(), writer };
        Ok(Self { server, urls: Urls::default() })
    }

    /// A connection for one query.
    pub(in crate::sql) async fn acquire(&self) -> sqlx::Result<Connection> {
        Ok(self.connection(match &self.server {
            Server::Sqlite { readers, .. } => Inner::Sqlite(Own::Plain(readers.acquire().await?)),
            Server::MySql(pool) => Inner::MySql(Own::Plain(pool.acquire().await?)),
            Server::Postgres(pool) => Inner::Postgres(Own::Plain(pool.acquire().await?)),
        }))
    }

    /// A connection for statements that write, each on its own.
    pub(in crate::sql) async fn writer(&self) -> sqlx::Result<Connection> {
        match &self.server {
            Server::Sqlite { writer, .. } => {
                Ok(self.connection(Inner::Sqlite(Own::Plain(writer.acquire().await?))))
            }
            Server::MySql(_) | Server::Postgres(_) => self.acquire().await,
        }
    }

    /// A transaction that only reads, and sees one state of the database all along.
    pub(in crate::sql) async fn snapshot(&self) -> sqlx::Result<Transaction> {
        Ok(Transaction(self.connection(match &self.server {
            Server::Sqlite { readers, .. } => {
                Inner::Sqlite(Own::Transaction(readers.begin().await?))
            }
            Server::MySql(pool) => {
                Inner::MySql(Own::Transaction(pool.begin_with(mysql::SNAPSHOT).await?))
            }
            Server::Postgres(pool) => {
                Inner::Postgres(Own::Transaction(pool.begin_with(postgres::SNAPSHOT).await?))
            }
        })))
    }

    /// A transaction that writes. On SQLite it holds the lock of the database from its start; on
    /// others, what it decides on is to be locked by what it does first.
    pub(in crate::sql) async fn begin(&self) -> sqlx::Result<Transaction> {
        Ok(Transaction(self.connection(match &self.server {
            Server::Sqlite { writer, .. } => {
                Inner::Sqlite(Own::Transaction(writer.begin_with(sqlite::BEGIN_WRITE).await?))
            }
            Server::MySql(pool) => {
                Inner::MySql(Own::Transaction(pool.begin_with(mysql::BEGIN_WRITE).await?))
            }
            Server::Postgres(pool) => {
                Inner::Postgres(Own::Transaction(pool.begin_with(postgres::BEGIN_WRITE).await?))
            }
        })))
    }

    fn connection(&self, inner: Inner) -> Connection {
        Connection { inner, urls: self.urls.clone() }
    }
}

impl Server {
    /// The connections to an SQLite file, which is made where there is none.
    async fn of_file(path: &Path) -> sqlx::Result<Self> {
        if sqlite::is_write_protected(path) {
            let readers = sqlite::pool(READERS).connect_with(sqlite::as_it_is(path).await?).await?;
            return Ok(Self::Sqlite { writer: readers.clone(), readers });
        }
        let options = sqlite::durable(sqlite::untouched(path));
        let making = options.clone().create_if_missing(true);
        let writer = sqlite::pool(1).connect_with(making).await?;
        let readers = sqlite::pool(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self::Sqlite { readers, writer })
    }
}

/// A connection that was not used for so long is tried before it is used: the server may have been
/// restarted.
const STALE: Duration = Duration::from_millis(500);

fn server<DB: Database>(limits: &Limits) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(limits.connections.max(1))
        .acquire_timeout(limits.patience)
        .max_lifetime(limits.recycle)
        .test_before_acquire(false)
        .before_acquire(|db, used| {
            Box::pin(async move {
                Ok(used.idle_for < STALE
                    || <DB::Connection as sqlx::Connection>::ping(db).await.is_ok())
            })
        })
}

/// A pool whose server was reached once. Each try is one connection: a pool would go on trying for
/// as long as a request waits.
async fn reached<DB: Database>(
    to: &<DB::Connection as sqlx::Connection>::Options,
    limits: &Limits,
) -> sqlx::Result<sqlx::Pool<DB>> {
    let mut left = limits.retries;
    loop {
        let connected = <DB::Connection as sqlx::Connection>::connect_with(to);
        let connected = tokio::time::timeout(limits.patience, connected).await;
        match connected.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Err(error) if is_unavailable(&error) && left != Some(0) => {
                tracing::warn!(%error, "the database is not reached; it is tried again");
                left = left.map(|left| left - 1);
                tokio::time::sleep(limits.interval).await;
            }
            Err(error) => return Err(error),
            Ok(connection) => {
                sqlx::Connection::close(connection).await?;
                return Ok(server(limits).connect_lazy_with(to.clone()));
            }
        }
    }
}

impl Connection {
    /// To an SQLite file as it is: nothing about it changes.
    pub(in crate::sql) async fn of_file(path: &Path) -> sqlx::Result<Self> {
        let pool = sqlite::pool(1).connect_with(sqlite::as_it_is(path).await?).await?;
        let inner = Inner::Sqlite(Own::Plain(pool.acquire().await?));
        Ok(Self { inner, urls: Urls::default() })
    }

    pub(in crate::sql) fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::MySql(_) => Dialect::MySql,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// How the URLs of locations are written in this database.
    pub(in crate::sql) fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Runs statements that have no values, separated by semicolons.
    pub(in crate::sql) async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match &mut self.inner {
            Inner::Sqlite(db) => _ = sqlx::raw_sql(sql).execute(&mut **db).await?,
            Inner::MySql(db) => _ = sqlx::raw_sql(sql).execute(&mut **db).await?,
            Inner::Postgres(db) => _ = sqlx::raw_sql(sql).execute(&mut **db).await?,
        }
        Ok(())
    }
}

impl Transaction {
    pub(in crate::sql) async fn commit(self) -> sqlx::Result<()> {
        match self.0.inner {
            Inner::Sqlite(db) => db.commit().await,
            Inner::MySql(db) => db.commit().await,
            Inner::Postgres(db) => db.commit().await,
        }
    }
}

impl<DB: Database> Own<DB> {
    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Transaction(transaction) => transaction.commit().await,
        }
    }
}

impl<DB: Database> Deref for Own<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Plain(db) => db,
            Self::Transaction(db) => db,
        }
    }
}

impl<DB: Database> DerefMut for Own<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Plain(db) => db,
            Self::Transaction(db) => db,
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
