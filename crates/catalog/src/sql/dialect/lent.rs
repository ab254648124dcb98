//! Connections that are kept open, and lent to one statement or one transaction at a time.
//!
//! A request may be given up at any await: its client has gone. A connection whose work was not done
//! then is closed, because what the server says next answers nobody's question; any other goes back
//! at once and is lent again as it is, without a round trip to the server. Who waits for a connection
//! waits in line.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Database, Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::failure::is_parting;
use super::lost::Pace;
use super::server::Server;
use super::{mysql, postgres};

/// A connection that was not used for so long is tried before it is used: the server may have been
/// restarted.
const STALE: Duration = Duration::from_millis(500);

/// How long that may take: a connection that is lost on the way is answered nothing.
const TRY: Duration = Duration::from_secs(5);

/// How long a server is told that a connection ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often all connections are replaced at most, by a server that says again and again that it is
/// not the one that is wanted.
const RENEWAL: Duration = Duration::from_secs(1);

/// The options of a database's connections.
pub(super) type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// How many connections there are, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// So many at the same time; `None` for as many as are asked for.
    pub connections: Option<u32>,
    /// So many stay however long nobody uses them; `None` for all.
    pub kept: Option<usize>,
    /// Any more are closed when nobody has used them for so long.
    pub idle: Duration,
    /// How long one is waited for.
    pub patience: Duration,
    /// After how long one is replaced; `None` for never.
    pub recycle: Option<Duration>,
}

/// The connections to a database. Clones share them.
pub(super) struct Lender<DB: Kind>(Arc<Shelf<DB>>);

struct Shelf<DB: Kind> {
    server: Arc<Server<DB>>,
    terms: Terms,
    turns: Arc<Semaphore>,
    idle: Mutex<Idle<DB>>,
}

/// The connections that nobody has.
struct Idle<DB: Database> {
    /// The one that was used last comes last.
    kept: Vec<Kept<DB>>,
    /// Those that were made before lead to where nobody wants to be any more.
    renewed: Option<Instant>,
}

/// A connection, with what is known of it.
struct Kept<DB: Database> {
    db: DB::Connection,
    made: Instant,
    used: Instant,
}

/// The right to have a connection.
type Turn = Option<OwnedSemaphorePermit>;

/// A connection that somebody has. It goes back when it is dropped.
pub(super) struct Lent<DB: Kind> {
    kept: Option<Kept<DB>>,
    shelf: Arc<Shelf<DB>>,
    turn: Turn,
    is_busy: bool,
    in_transaction: bool,
    pace: Pace,
}

impl<DB: Database> Default for Idle<DB> {
    fn default() -> Self {
        Self { kept: Vec::new(), renewed: None }
    }
}

impl<DB: Kind> Clone for Lender<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: Kind> std::fmt::Debug for Lender<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lender").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

impl<DB: Kind> Lender<DB> {
    /// Connections that are made when they are needed.
    pub(super) fn new(server: Arc<Server<DB>>, terms: Terms) -> Self {
        let turns = terms.connections.and_then(|count| usize::try_from(count.max(1)).ok());
        let turns = Arc::new(Semaphore::new(turns.unwrap_or(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Shelf { server, terms, turns, idle: Mutex::default() }))
    }

    /// A connection. Errors: `PoolTimedOut` when none was free in time; what connecting ended with;
    /// `Io` where the server hangs.
    pub(super) async fn lend(&self) -> Result<Lent<DB>> {
        let (server, patience) = (self.0.server.clone(), self.0.terms.patience);
        let waited = timeout(patience, self.0.turns.clone().acquire_owned());
        let waited = server.while_it_lives(waited).await?;
        let turn = waited.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let taken = server.while_it_lives(timeout(patience, self.0.take())).await?;
        let kept = taken.map_err(|_| Error::PoolTimedOut)??;
        Ok(Lent {
            kept: Some(kept),
            shelf: self.0.clone(),
            turn: Some(turn),
            is_busy: false,
            in_transaction: false,
            pace: Pace::Ordinary,
        })
    }
}

impl<DB: Kind> Shelf<DB> {
    /// The connection that was used last, if it still works, or a new one.
    async fn take(&self) -> Result<Kept<DB>> {
        while let Some(mut kept) = self.pop() {
            if self.is_old(&kept) {
                bid_farewell(vec![kept]);
                continue;
            }
            if kept.used.elapsed() < STALE {
                return Ok(kept);
            }
            if let Ok(Ok(())) = timeout(TRY, kept.db.ping()).await {
                self.server.hear();
                return Ok(kept);
            }
            // Whatever has lost this one on the way has lost those that were silent for longer.
            self.idle().kept.retain(|other| other.used > kept.used);
        }
        let now = Instant::now();
        Ok(Kept { db: self.server.connect().await?, made: now, used: now })
    }

    fn pop(&self) -> Option<Kept<DB>> {
        self.idle().kept.pop()
    }

    fn put(&self, kept: Kept<DB>) {
        let kept = Kept { used: Instant::now(), ..kept };
        let mut idle = self.idle();
        let mut over = Vec::new();
        match idle.renewed.is_some_and(|renewed| kept.made < renewed) {
            true => over.push(kept),
            false => idle.kept.push(kept),
        }
        over.extend(self.unused(&mut idle.kept));
        drop(idle);
        bid_farewell(over);
    }

    /// Takes those out that nobody has needed for a while, and those that are too old.
    fn unused(&self, idle: &mut Vec<Kept<DB>>) -> Vec<Kept<DB>> {
        let kept = self.terms.kept.unwrap_or(usize::MAX);
        let spare = idle.len().saturating_sub(kept);
        let goes = |at: usize, one: &Kept<DB>| {
            (at < spare && one.used.elapsed() >= self.terms.idle) || self.is_old(one)
        };
        let count = idle.iter().enumerate().take_while(|(at, one)| goes(*at, one)).count();
        idle.drain(..count).collect()
    }

    fn is_old(&self, kept: &Kept<DB>) -> bool {
        self.terms.recycle.is_some_and(|recycle| kept.made.elapsed() >= recycle)
    }

    /// Has the connections that there are now closed, each once it is idle: a new one is led to
    /// another server, where there is one.
    fn renew(&self) {
        let mut idle = self.idle();
        if idle.renewed.is_none_or(|renewed| renewed.elapsed() >= RENEWAL) {
            idle.renewed = Some(Instant::now());
            self.server.forget_way();
            let old = std::mem::take(&mut idle.kept);
            drop(idle);
            bid_farewell(old);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle<DB>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections as servers want it: they count those that just break off.
fn bid_farewell<DB: Kind>(connections: Vec<Kept<DB>>) {
    if connections.is_empty() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(timeout(FAREWELL, async {
            for kept in connections {
                let _gone_anyway = kept.db.close().await;
            }
        }));
    }
}

impl<DB: Kind> Lent<DB> {
    /// Says that the connection is in the middle of something; returns whose answer is waited for, and
    /// how.
    pub(super) fn begin_work(&mut self) -> (Arc<Server<DB>>, Pace) {
        self.is_busy = true;
        (self.shelf.server.clone(), self.pace)
    }

    /// Says that what follows takes as long as it takes.
    pub(super) fn set_unhurried(&mut self) {
        self.pace = Pace::Unhurried;
    }

    /// Says that it is not any more: there was an answer, be it a refusal. A server that takes its
    /// leave is left.
    pub(super) fn end_work<T>(&mut self, answer: &Result<T>) {
        self.is_busy = match answer {
            Ok(_) => false,
            Err(error) if is_parting(error) => {
                self.shelf.renew();
                true
            }
            Err(error) => !matches!(error, Error::Database(_)),
        };
    }
}

/// A database that runs statements that have no values.
pub(super) trait Kind: Database {
    /// Asks a server for how long it has been at what it has been at for the longest time for this
    /// account, in seconds. `None` where there is no server, which could be there and not answer.
    const LONGEST_WORK: Option<&'static str>;

    fn run(
        db: &mut Self::Connection,
        sql: Cow<'static, str>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The number that a statement says.
    fn number(
        db: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<i64>> + Send;
}

macro_rules! kind {
    ($kind:ty, $longest_work:expr) => {
        impl Kind for $kind {
            const LONGEST_WORK: Option<&'static str> = $longest_work;

            async fn run(db: &mut Self::Connection, sql: Cow<'static, str>) -> Result<()> {
                // Nothing that a user says becomes part of it.
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.map(drop)
            }

            async fn number(db: &mut Self::Connection, sql: &'static str) -> Result<i64> {
                sqlx::query_scalar(sql).fetch_one(db).await
            }
        }
    };
}

kind!(sqlx::Sqlite, None);
kind!(sqlx::MySql, Some(mysql::LONGEST_WORK));
kind!(sqlx::Postgres, Some(postgres::LONGEST_WORK));

impl<DB: Kind> Lent<DB> {
    /// Runs statements that have no values, separated by semicolons.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<()> {
        tracing::trace!(%sql, "statement");
        let (server, pace) = self.begin_work();
        let done = server.answer(pace, DB::run(self, sql.into())).await;
        self.end_work(&done);
        done
    }

    /// Begins a transaction by that statement.
    pub(super) async fn begin(mut self, statement: &'static str) -> Result<Self> {
        self.run(statement).await?;
        self.in_transaction = true;
        Ok(self)
    }

    /// Ends the transaction.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.run("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }
}

/// Undoes what was not committed, and puts the connection back.
async fn undo<DB: Kind>(mut kept: Kept<DB>, shelf: Arc<Shelf<DB>>, turn: Turn) {
    let rollback = DB::run(&mut kept.db, "ROLLBACK".into());
    let undone = shelf.server.answer(Pace::Ordinary, rollback).await;
    if matches!(undone, Ok(()) | Err(Error::Database(_))) {
        shelf.put(kept);
    }
    drop(turn);
}

impl<DB: Kind> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        match (self.is_busy, self.in_transaction) {
            (true, _) => {}
            (false, false) => self.shelf.put(kept),
            // Without a runtime, what is not committed goes with the connection.
            (false, true) => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(undo(kept, self.shelf.clone(), self.turn.take()));
                }
            }
        }
    }
}

impl<DB: Kind> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.kept.as_ref().expect(KEPT).db
    }
}

impl<DB: Kind> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.kept.as_mut().expect(KEPT).db
    }
}

/// Why a connection that is lent is there.
const KEPT: &str = "only `drop` takes the connection away";

#[cfg(test)]
mod tests {
    use sqlx::Sqlite;

    use super::super::server::Ways;
    use super::*;

    const A_MOMENT: Duration = Duration::from_millis(20);

    fn terms() -> Terms {
        Terms { connections: None, kept: Some(2), idle: A_MOMENT, patience: STALE, recycle: None }
    }

    fn lender(terms: Terms) -> Lender<Sqlite> {
        let ways = Ways::to_one_host(vec!["sqlite::memory:".parse().unwrap()]);
        Lender::new(Server::new(ways, None), terms)
    }

    async fn lent(lender: &Lender<Sqlite>, count: usize) -> Vec<Lent<Sqlite>> {
        let mut lent = Vec::new();
        for _ in 0..count {
            lent.push(lender.lend().await.unwrap());
        }
        lent
    }

    fn idle(lender: &Lender<Sqlite>) -> usize {
        lender.0.idle().kept.len()
    }

    #[tokio::test]
    async fn what_nobody_has_needed_for_a_while_is_closed() {
        let lender = lender(terms());
        drop(lent(&lender, 5).await);
        assert_eq!(idle(&lender), 5);
        tokio::time::sleep(2 * A_MOMENT).await;
        drop(lender.lend().await.unwrap());
        assert_eq!(idle(&lender), 2);
    }

    #[tokio::test]
    async fn what_is_old_is_closed_though_it_is_never_its_turn() {
        let recycle = Some(A_MOMENT);
        let lender = lender(Terms { kept: None, recycle, ..terms() });
        drop(lent(&lender, 3).await);
        assert_eq!(idle(&lender), 3);
        tokio::time::sleep(2 * A_MOMENT).await;
        drop(lender.lend().await.unwrap());
        assert_eq!(idle(&lender), 1);
    }

    #[tokio::test]
    async fn none_stays_that_was_there_before_a_renewal() {
        let lender = lender(terms());
        let mut out = lent(&lender, 3).await;
        drop(out.pop());
        lender.0.renew();
        assert_eq!(idle(&lender), 0);
        drop(out);
        assert_eq!(idle(&lender), 0);
        drop(lender.lend().await.unwrap());
        assert_eq!(idle(&lender), 1);
    }
}
