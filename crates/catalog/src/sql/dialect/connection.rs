//! Connections, and their pools.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{MySql, Postgres, Sqlite};

use super::super::database::{self, Limits, Place};
use super::super::sealed::Urls;
use super::lent::{Kind, Lender, Lent, Terms};
use super::lost::Pace;
use super::server::{Hosts, Server, Ways};
use super::{Dialect, is_unavailable, mysql, postgres, sqlite};

/// The connections to one database.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Pool {
    lenders: Lenders,
    /// How the URLs of locations are written there.
    urls: Urls,
}

#[derive(Debug, Clone)]
enum Lenders {
    Sqlite {
        readers: Lender<Sqlite>,
        /// One connection: writers wait their turn here, and never see `database is locked`.
        writer: Lender<Sqlite>,
    },
    MySql(Lender<MySql>),
    Postgres(Lender<Postgres>),
}

/// A connection, in a transaction or not.
pub(in crate::sql) struct Connection {
    pub(super) inner: Inner,
    urls: Urls,
}

pub(super) enum Inner {
    Sqlite(Lent<Sqlite>),
    MySql(Lent<MySql>),
    Postgres(Lent<Postgres>),
}

/// A transaction, undone unless it is committed.
pub(in crate::sql) struct Transaction(Connection);

/// Connections that read an SQLite file at the same time, at most.
const READERS: u32 = 4;

/// What was opened in a moment of need stays open for the next one, so long.
const IDLE: Duration = Duration::from_secs(60);

impl Pool {
    /// The connections to a database. The first one is waited for, as long as the limits say.
    pub(in crate::sql) async fn of(database: &database::Database) -> sqlx::Result<Self> {
        let limits = &database.limits;
        let lenders = match &database.place {
            Place::File(path) => Lenders::of_file(path).await?,
            Place::MySql(to, certificates) => {
                let ways = certificates.ways(&**to)?;
                let mode = database.sql_mode.as_deref();
                let opening = mysql::opening(mode, database.wsrep_sync_wait);
                Lenders::MySql(
                    reached(Server::new(Ways::to_one_host(ways), Some(opening)), limits).await?,
                )
            }
            Place::Postgres(hosts) => {
                let ways = hosts.all.iter().map(|to| hosts.certificates.ways(to));
                let all = ways.collect::<sqlx::Result<Vec<_>>>()?.concat();
                let count = if hosts.all.len() > 1 { Hosts::Several } else { Hosts::One };
                let ways = Ways { all, hosts: count, limit: hosts.patience };
                let server = Server::new(ways, postgres::opening(hosts.wanted));
                Lenders::Postgres(reached(server, limits).await?)
            }
        };
        Ok(Self { lenders, urls: Urls(database.location_key.clone()) })
    }

    /// One connection to an SQLite database in memory.
    pub(in crate::sql) async fn in_memory() -> sqlx::Result<Self> {
        let options = sqlite::durable("sqlite::memory:".parse()?);
        let writer = lender(options, 1);
        let lenders = Lenders::Sqlite { readers: writer.clone(), writer };
        Ok(Self { lenders, urls: Urls::default() })
    }

    /// A connection for one query.
    pub(in crate::sql) async fn acquire(&self) -> sqlx::Result<Connection> {
        Ok(self.connection(match &self.lenders {
            Lenders::Sqlite { readers, .. } => Inner::Sqlite(readers.lend().await?),
            Lenders::MySql(pool) => Inner::MySql(pool.lend().await?),
            Lenders::Postgres(pool) => Inner::Postgres(pool.lend().await?),
        }))
    }

    /// A connection for statements that write, each on its own.
    pub(in crate::sql) async fn writer(&self) -> sqlx::Result<Connection> {
        match &self.lenders {
            Lenders::Sqlite { writer, .. } => {
                Ok(self.connection(Inner::Sqlite(writer.lend().await?)))
            }
            Lenders::MySql(_) | Lenders::Postgres(_) => self.acquire().await,
        }
    }

    /// A transaction that only reads, and sees one state of the database all along.
    pub(in crate::sql) async fn snapshot(&self) -> sqlx::Result<Transaction> {
        Ok(Transaction(self.connection(match &self.lenders {
            Lenders::Sqlite { readers, .. } => {
                Inner::Sqlite(readers.lend().await?.begin(sqlite::SNAPSHOT).await?)
            }
            Lenders::MySql(pool) => Inner::MySql(pool.lend().await?.begin(mysql::SNAPSHOT).await?),
            Lenders::Postgres(pool) => {
                Inner::Postgres(pool.lend().await?.begin(postgres::SNAPSHOT).await?)
            }
        })))
    }

    /// A transaction that writes. On SQLite it holds the lock of the database from its start; on
    /// others, what it decides on is to be locked by what it does first.
    pub(in crate::sql) async fn begin(&self) -> sqlx::Result<Transaction> {
        Ok(Transaction(self.connection(match &self.lenders {
            Lenders::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.lend().await?.begin(sqlite::BEGIN_WRITE).await?)
            }
            Lenders::MySql(pool) => {
                Inner::MySql(pool.lend().await?.begin(mysql::BEGIN_WRITE).await?)
            }
            Lenders::Postgres(pool) => {
                Inner::Postgres(pool.lend().await?.begin(postgres::BEGIN_WRITE).await?)
            }
        })))
    }

    fn connection(&self, inner: Inner) -> Connection {
        Connection { inner, urls: self.urls.clone() }
    }
}

impl Lenders {
    /// The connections to an SQLite file, which is made where there is none.
    async fn of_file(path: &Path) -> sqlx::Result<Self> {
        if sqlite::is_write_protected(path) {
            let readers = lender(sqlite::as_it_is(path).await?, READERS);
            return Ok(Self::Sqlite { writer: readers.clone(), readers });
        }
        let options = sqlite::durable(sqlite::untouched(path));
        let making = options.clone().create_if_missing(true);
        let (writer, readers) = (lender(making, 1), lender(sqlite::for_lists(options), READERS));
        // Readers don't make the file.
        let opening = sqlite::Opening::begin();
        loop {
            match writer.lend().await {
                Err(error) if opening.again(&error).await => {}
                opened => break drop(opened?),
            }
        }
        Ok(Self::Sqlite { readers, writer })
    }
}

/// Connections to a file stay open: opening one costs more than keeping it, and one in memory is its
/// data.
fn lender(options: SqliteConnectOptions, connections: u32) -> Lender<Sqlite> {
    let (connections, patience) = (Some(connections), sqlite::PATIENCE);
    let terms = Terms { connections, kept: None, idle: IDLE, patience, recycle: None };
    Lender::new(Server::new(Ways::to_one_host(vec![options]), None), terms)
}

/// Connections to a server that was reached once.
async fn reached<DB: Kind>(server: Arc<Server<DB>>, limits: &Limits) -> sqlx::Result<Lender<DB>> {
    let mut left = limits.retries;
    loop {
        match server.answer(Pace::Ordinary, server.connect()).await {
            Err(error) if is_unavailable(&error) && left != Some(0) => {
                tracing::warn!(%error, "the database is not reached; it is tried again");
                left = left.map(|left| left - 1);
                tokio::time::sleep(limits.interval).await;
            }
            Err(error) => return Err(error),
            Ok(connection) => {
                sqlx::Connection::close(connection).await?;
                return Ok(Lender::new(server, terms(limits)));
            }
        }
    }
}

fn terms(limits: &Limits) -> Terms {
    let Limits { connections, kept, patience, recycle, .. } = *limits;
    Terms { connections, kept: Some(kept), idle: IDLE, patience, recycle }
}

impl Connection {
    /// To an SQLite file as it is: nothing about it changes.
    pub(in crate::sql) async fn of_file(path: &Path) -> sqlx::Result<Self> {
        let opening = sqlite::Opening::begin();
        let options = loop {
            match sqlite::as_it_is(path).await {
                Err(error) if opening.again(&error).await => {}
                options => break options?,
            }
        };
        let inner = Inner::Sqlite(lender(options, 1).lend().await?);
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

    /// Says that what follows on it is upkeep, which takes as long as it takes.
    pub(in crate::sql) fn set_unhurried(&mut self) {
        match &mut self.inner {
            Inner::Sqlite(db) => db.set_unhurried(),
            Inner::MySql(db) => db.set_unhurried(),
            Inner::Postgres(db) => db.set_unhurried(),
        }
    }

    /// Runs statements that have no values, separated by semicolons.
    pub(in crate::sql) async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match &mut self.inner {
            Inner::Sqlite(db) => db.run(sql).await,
            Inner::MySql(db) => db.run(sql).await,
            Inner::Postgres(db) => db.run(sql).await,
        }
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
