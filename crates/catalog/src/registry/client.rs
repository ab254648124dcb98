//! The catalog of a registry: every call goes there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::address::Address;
use super::frame::{Call, decode};
use super::keeper::{self, Link, State};
use super::operations::Kind;
use super::route::Route;
use super::tls::{BadKeys, Keys};
use crate::{Catalog, Cause, Error, Result};

/// How long a call may take until its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long after a connection broke calls wait for the next one; later they fail at once.
const GRACE: Duration = Duration::from_secs(3);

/// Connections to a registry, each used by many calls at once.
const CONNECTIONS: usize = 2;

/// A catalog that a registry holds. Clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    states: Vec<watch::Receiver<State>>,
    next: AtomicUsize,
    _keepers: JoinSet<()>,
}

impl Client {
    /// A client of the registry at an address. It connects by itself, and again whenever that is
    /// needed. Must be called in a Tokio runtime.
    pub fn new(address: Address, keys: Option<&Keys>) -> std::result::Result<Self, BadKeys> {
        let route = Arc::new(Route::new(address, keys)?);
        let mut keepers = JoinSet::new();
        let states = (0..CONNECTIONS).map(|_| {
            let (state, seen) = watch::channel(State::New);
            keepers.spawn(keeper::keep(route.clone(), state));
            seen
        });
        let states = states.collect();
        Ok(Self(Arc::new(Inner { states, next: AtomicUsize::new(0), _keepers: keepers })))
    }

    /// Waits until the registry answers, for `patience` at most. Errors: the last reason; at once
    /// where waiting won't help.
    pub async fn reached(&self, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            let answered = self.ping().await;
            let hopeless = self.0.states.iter().any(|state| match &*state.borrow() {
                State::Down(_, why) => why.stays(),
                _ => false,
            });
            if answered.is_ok() || hopeless || Instant::now() >= end {
                return answered;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(super) async fn call<A, T>(
        &self,
        name: &'static str,
        kind: Kind,
        arguments: &A,
    ) -> Result<T>
    where
        A: Serialize,
        T: DeserializeOwned,
    {
        let key = (kind == Kind::Write).then(|| *uuid::Uuid::new_v4().as_bytes());
        let call = Call::encoded(name, key, arguments)?;
        let end = Instant::now() + PATIENCE;
        let answer = timeout_at(end.into(), self.answer(call, kind)).await;
        let answer = answer.map_err(|_| unavailable("it did not answer in time"))??;
        decode::<Result<T>>(&answer)?
    }

    async fn answer(&self, mut call: Vec<u8>, kind: Kind) -> Result<Bytes> {
        let began = Instant::now();
        let mut asked = None;
        loop {
            let link = self.link().await?;
            if kind == Kind::Write && asked.is_some_and(|instance| instance != link.instance) {
                return Err(unavailable(
                    "it was restarted while a change was under way; whether it was made isn't known",
                ));
            }
            if asked.is_some() {
                let age = began.elapsed().as_millis();
                Call::repeat(&mut call, u32::try_from(age).unwrap_or(u32::MAX));
            }
            if let Some(answer) = link.ask(call.clone().into()).await {
                return Ok(answer);
            }
            asked = Some(link.instance);
        }
    }

    /// A connection; the one whose turn it is, where it can be used.
    async fn link(&self) -> Result<Link> {
        let states = &self.0.states;
        let turn = self.0.next.fetch_add(1, Ordering::Relaxed);
        for at in 0..states.len() {
            let state = &states[(turn + at) % states.len()];
            if let State::Up(link) = &*state.borrow()
                && link.is_open()
            {
                return Ok(link.clone());
            }
        }
        waited(states[turn % states.len()].clone()).await
    }
}

/// A connection once there is one, unless there has been none for long.
async fn waited(mut state: watch::Receiver<State>) -> Result<Link> {
    let began = Instant::now();
    loop {
        let (since, why) = match &*state.borrow_and_update() {
            State::Up(link) if link.is_open() => return Ok(link.clone()),
            State::Up(_) | State::New => (began, "there is no connection".to_owned()),
            State::Down(since, why) => (*since, why.to_string()),
        };
        match timeout_at((since + GRACE).into(), state.changed()).await {
            Ok(Ok(())) => {}
            _ => return Err(unavailable(&why)),
        }
    }
}

fn unavailable(why: &str) -> Error {
    Error::Unavailable(Cause::Registry(format!("the registry can't be reached: {why}")))
}
