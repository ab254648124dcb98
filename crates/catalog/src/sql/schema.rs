//! Glance's tables: made in a fresh database, recognized in an old one.

use super::dialect::{Connection, Dialect, Transaction, is_unavailable, query};
use crate::{Error, Result};

/// The head of Glance 33's migrations (`glance/db/sqlalchemy/alembic_migrations/versions`).
pub const REVISION: &str = "2024_1_contract01";

/// The head of the first half of an upgrade, which Glance runs while older services go on.
const EXPANDED: &str = "2024_1_expand01";

/// The revisions that a database is at: one, or those of both halves of an upgrade.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revisions(pub Vec<String>);

/// What an upgrade has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// Expand: tables or columns are missing.
    Expand,
    /// Contract: what the older services need is still there.
    Contract,
    /// Nothing that is known here: a later version has made it.
    Later,
}

impl Revisions {
    /// What an upgrade to the schema that is known here has to do next.
    pub fn next(&self) -> Next {
        let at = |revision: &str| self.0.iter().any(|found| found == revision);
        if self.0.iter().any(|revision| is_later(revision)) {
            return Next::Later;
        }
        match (at(REVISION), at(EXPANDED)) {
            (true, _) => Next::Nothing,
            (false, false) => Next::Expand,
            (false, true) => Next::Contract,
        }
    }
}

/// Glance names its revisions after its releases: `ocata` to `zed`, then year and number.
fn is_later(revision: &str) -> bool {
    let release = |revision: &str| -> Option<(u16, u16)> {
        let (year, rest) = revision.split_once('_')?;
        let (number, _) = rest.split_once('_')?;
        Some((year.parse().ok()?, number.parse().ok()?))
    };
    release(revision) > release(REVISION)
}

/// What is found in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Glance's tables, at the revision that we know.
    Current,
    /// None of them.
    Nothing,
}

/// The revisions that Alembic, which Glance migrates with, has noted.
pub(super) async fn revisions(db: &mut Connection) -> Result<Revisions> {
    let tables: Vec<String> = query(db.dialect().known_tables()).column(db).await?;
    if !tables.iter().any(|name| name == "alembic_version") {
        return Ok(Revisions::default());
    }
    let mut found = query("SELECT version_num FROM alembic_version ORDER BY version_num");
    Ok(Revisions(found.column(db).await?))
}

/// Looks, and changes nothing. Errors: `Schema` when Glance's tables are at another revision.
pub(super) async fn look(db: &mut Connection) -> Result<Found> {
    let tables: Vec<String> = query(db.dialect().known_tables()).column(db).await?;
    if tables.is_empty() {
        return Ok(Found::Nothing);
    }
    let Revisions(revisions) = revisions(db).await?;
    match revisions.as_slice() {
        [only] if only == REVISION => Ok(Found::Current),
        [] => Err(Error::Schema { found: "none".to_owned(), known: REVISION.to_owned() }),
        // Expanded but not contracted: an upgrade is under way.
        several => Err(Error::Schema { found: several.join(", "), known: REVISION.to_owned() }),
    }
}

/// Creates the tables where there are none: all in one transaction, so that an interrupted start
/// leaves none of them, where databases undo that. Of several that start at once one creates them,
/// and the others wait for it.
pub(super) async fn ensure(mut db: Transaction) -> Result<()> {
    db.set_unhurried();
    let is_locked = lock(&mut db).await?;
    let made = make(&mut db).await;
    if let Some(unlock) = db.dialect().unlock_tables().filter(|_| is_locked) {
        // The connection outlives the transaction, and the lock would with it.
        db.run(unlock).await?;
    }
    made?;
    Ok(db.commit().await?)
}

/// Whether nobody else makes tables now. A server may refuse such locks, as a Percona XtraDB Cluster does
/// in its strict mode, for other nodes don't know them; nothing but this lock is lost then.
async fn lock(db: &mut Connection) -> Result<bool> {
    let Some(lock) = db.dialect().lock_tables() else { return Ok(false) };
    let locked: sqlx::Result<Option<i64>> = query(lock).only(db).await;
    match locked {
        Ok(Some(1)) => Ok(true),
        Ok(_) => Err(sqlx::Error::PoolTimedOut.into()),
        Err(error) if is_refused(db.dialect(), &error) => {
            tracing::warn!(
                %error,
                "the database refuses a lock; make Glance's tables by one command alone"
            );
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the statement is refused for what it is. In PostgreSQL that ends the transaction.
fn is_refused(dialect: Dialect, error: &sqlx::Error) -> bool {
    dialect == Dialect::MySql && error.as_database_error().is_some() && !is_unavailable(error)
}

async fn make(db: &mut Connection) -> Result<()> {
    if look(db).await? == Found::Nothing {
        let tables = db.dialect().tables();
        db.run(tables).await?;
        query("INSERT INTO alembic_version (version_num) VALUES (?)")
            .bind(REVISION)
            .execute(db)
            .await?;
    }
    Ok(())
}
