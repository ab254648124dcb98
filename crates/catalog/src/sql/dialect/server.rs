//! A server: the ways to it, and whether it hangs.
//!
//! A statement may take long, and a server that hangs takes for ever. What tells them apart is whether
//! anything at all is heard from the server: while an answer is waited for and nothing is, a further
//! connection is made to it. A server that does not answer that either hangs, and whoever waits is
//! told so; one that does is given all the time that the statement takes, unless the answer was lost on
//! its way ([`lost`](super::lost)).
//!
//! Time is counted in ticks that this process has lived through: one that was suspended, or that gets
//! no processor, knows nothing of the silence of others.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{ConnectOptions, Connection, Error, Result};
use tokio::time::timeout;

use super::failure::is_unavailable;
use super::lent::{Kind, Options};
use super::lost::{Doubt, Looks, Next, Pace};

/// How often it is looked whether something was heard.
const TICK: Duration = Duration::from_millis(500);

/// Ticks of silence after which a further connection is made.
const DOUBT: u32 = 2;

/// Ticks of silence after which the server hangs: five seconds for what takes it a moment.
const HANGS: u32 = 12;

/// The same while it hangs already.
const STILL_HANGS: u32 = 4;

/// How long the further connection may take, before another one is tried.
const PROBE: Duration = Duration::from_secs(10);

/// How to get to a database.
pub(super) struct Ways<DB: Kind> {
    /// Never empty: one for each host, and for each authority that may have signed its certificate.
    pub all: Vec<Options<DB>>,
    /// Whether a host that can't be asked now may have another one beside it.
    pub hosts: Hosts,
    /// How long each way is given, if not for as long as the system tries.
    pub limit: Option<Duration>,
}

/// How many hosts a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hosts {
    One,
    Several,
}

impl<DB: Kind> Ways<DB> {
    pub(super) fn to_one_host(all: Vec<Options<DB>>) -> Self {
        Self { all, hosts: Hosts::One, limit: None }
    }

    /// Whether another way may lead to where this one does not.
    fn lead_elsewhere(&self, error: &Error) -> bool {
        match error {
            Error::Tls(_) => true,
            error => self.hosts == Hosts::Several && is_unavailable(error),
        }
    }
}

/// A database, and how to get there.
pub(super) struct Server<DB: Kind> {
    ways: Ways<DB>,
    /// The one that led there last.
    way: AtomicUsize,
    /// What each connection begins with.
    opening: Option<String>,
    /// Counts its answers.
    heard: AtomicU64,
    hangs: AtomicBool,
    is_probed: AtomicBool,
    looks: Looks,
}

impl<DB: Kind> Server<DB> {
    /// Each new connection begins with the statement `opening`.
    pub(super) fn new(ways: Ways<DB>, opening: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            ways,
            way: AtomicUsize::new(0),
            opening,
            heard: AtomicU64::new(0),
            hangs: AtomicBool::new(false),
            is_probed: AtomicBool::new(false),
            looks: Looks::default(),
        })
    }

    /// A new connection. Of several ways each is tried, from the one on that led there last: an
    /// authority may not have signed the server's certificate, a host be away, or another one wanted.
    pub(super) fn connect(&self) -> BoxFuture<'_, Result<DB::Connection>> {
        Box::pin(async {
            let (first, count) = (self.way.load(Ordering::Relaxed), self.ways.all.len());
            let mut connected = Err(Error::PoolClosed);
            for at in (0..count).map(|at| (first + at) % count) {
                connected = self.connect_by(&self.ways.all[at]).await;
                match &connected {
                    Err(error) if self.ways.lead_elsewhere(error) => {
                        tracing::debug!(way = at, %error, "a way to the database leads nowhere");
                    }
                    // Whoever waits for the answer of one host has nothing of another's.
                    _ => {
                        self.way.store(at, Ordering::Relaxed);
                        if is_heard(&connected) {
                            self.hear();
                        }
                        break;
                    }
                }
            }
            connected
        })
    }

    async fn connect_by(&self, way: &Options<DB>) -> Result<DB::Connection> {
        let connecting = async {
            let mut db = way.connect().await?;
            if let Some(opening) = &self.opening {
                DB::run(&mut db, opening.clone().into()).await?;
            }
            Ok(db)
        };
        match self.ways.limit {
            None => connecting.await,
            Some(limit) => timeout(limit, connecting).await.unwrap_or_else(|_| {
                let text = "the database's host does not answer";
                Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, text)))
            }),
        }
    }

    /// Has the next connection begin with the first way: the one that was found is not it any more.
    pub(super) fn forget_way(&self) {
        self.way.store(0, Ordering::Relaxed);
    }

    /// The server's answer, however long it takes. Errors: those of the answer; `Io` where the server
    /// hangs, `TimedOut`, or where the answer was lost, `ConnectionAborted`.
    pub(super) async fn answer<T>(
        self: &Arc<Self>,
        pace: Pace,
        answer: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let answer = self.wait(pace, answer).await?;
        if is_heard(&answer) {
            self.hear();
        }
        answer
    }

    /// What comes of something that others' answers lead to. Errors: `Io` where the server hangs.
    pub(super) async fn while_it_lives<F: Future>(self: &Arc<Self>, work: F) -> Result<F::Output> {
        self.wait(Pace::Unhurried, work).await
    }

    async fn wait<F: Future>(self: &Arc<Self>, pace: Pace, work: F) -> Result<F::Output> {
        if DB::LONGEST_WORK.is_none() {
            return Ok(work.await);
        }
        let mut work = pin!(work);
        let mut doubt = Doubt::new(pace);
        let (mut known, mut silent) = (self.heard.load(Ordering::Relaxed), 0);
        while silent < self.patience() {
            if let Ok(done) = timeout(TICK, &mut work).await {
                return Ok(done);
            }
            let heard = self.heard.load(Ordering::Relaxed);
            silent = if heard == known { silent + 1 } else { 0 };
            known = heard;
            match doubt.tick(&self.looks) {
                Next::Wait if silent >= DOUBT => self.probe(),
                Next::Wait => {}
                Next::Look => self.probe(),
                Next::GiveUp => return Err(lost()),
            }
        }
        if !self.hangs.swap(true, Ordering::Relaxed) {
            tracing::warn!("the database hangs: it answers nothing, and no new connection either");
        }
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer")))
    }

    /// In ticks.
    fn patience(&self) -> u32 {
        if self.hangs.load(Ordering::Relaxed) { STILL_HANGS } else { HANGS }
    }

    /// Something was heard from it.
    pub(super) fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        self.hangs.store(false, Ordering::Relaxed);
    }

    /// Looks what the server is at, on a connection of its own, unless that is under way.
    fn probe(self: &Arc<Self>) {
        if self.is_probed.swap(true, Ordering::Relaxed) {
            return;
        }
        let server = self.clone();
        tokio::spawn(async move {
            // What is heard is known by itself, and what is not as well.
            let _looked = timeout(PROBE, server.look()).await;
            // However many wait, it is not looked at without a pause.
            tokio::time::sleep(TICK).await;
            server.is_probed.store(false, Ordering::Relaxed);
        });
    }

    async fn look(&self) -> Result<()> {
        let mut db = self.connect().await?;
        if let Some(sql) = DB::LONGEST_WORK {
            match DB::number(&mut db, sql).await {
                Ok(seconds) => self.looks.add(Duration::from_secs(seconds.unsigned_abs())),
                Err(error) => tracing::debug!(%error, "it is not known what the database is at"),
            }
        }
        db.close().await
    }
}

/// Why the answer to a statement does not come.
fn lost() -> Error {
    tracing::warn!("a connection to the database is lost: it is not at what it was asked there");
    let text = "the connection to the database is lost";
    Error::Io(io::Error::new(io::ErrorKind::ConnectionAborted, text))
}

/// Whether it is an answer of the server's, be it a refusal.
fn is_heard<T>(answer: &Result<T>) -> bool {
    matches!(answer, Ok(_) | Err(Error::Database(_)))
}
