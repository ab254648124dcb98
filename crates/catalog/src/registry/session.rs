//! One client's connection, as the registry has it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answers::remembered;
use super::broken::Broken;
use super::frame::{self, ALIVE, BEAT, Call, Frame, Frames, LONGEST_ANSWER, LONGEST_CALL, SILENCE};
use super::greeting::Greeting;
use super::operations::{Kind, encoded, kind, perform};
use super::server::{CONNECTIONS, Registry};
use super::stream::{Boxed, Unproven, Visitor};
use crate::{Cause, Error};

/// Calls of one connection that are worked on at the same time; further ones wait.
const AT_ONCE: usize = 256;

/// Pieces of answers that wait to be written, at most.
const QUEUE: usize = 64;

/// Bytes of an answer that there is room for before a call is worked on.
const USUAL_ANSWER: u32 = 64 << 10;

pub(super) async fn run(registry: Arc<Registry>, visitor: Visitor, stopped: watch::Receiver<bool>) {
    let Visitor { from, stream } = visitor;
    let (stream, names) = match registry.door.pass(meet(&registry, stream)).await {
        Ok(met) => met,
        Err(broken) => return told(&from, &broken),
    };
    let Ok(_place) = registry.room.try_acquire() else {
        return told(&from, &Broken::Full(CONNECTIONS));
    };
    let who = if names.is_empty() { from } else { format!("{from} ({names})") };
    tracing::info!("{who} is connected");
    match answer_all(&registry, stream, stopped).await {
        Ok(()) => tracing::info!("{who} has gone"),
        Err(broken) => tracing::warn!("{who} has gone: {broken}"),
    }
}

/// What has said nothing may be a port scan, or a look at whether somebody listens.
fn told(from: &str, broken: &Broken) {
    match broken {
        Broken::Io(_) | Broken::Silent => tracing::debug!("{from} is not let in: {broken}"),
        _ => tracing::warn!("{from} is not let in: {broken}"),
    }
}

async fn meet(registry: &Registry, connection: Unproven) -> Result<(Boxed, String), Broken> {
    let (mut stream, names) = connection.prove().await?;
    let client = Greeting::hear(&mut stream).await?;
    Greeting::new(registry.instance).say(&mut stream).await?;
    client.agrees("service")?;
    Ok((stream, names))
}

type Pieces = mpsc::Sender<(u32, bool, Bytes)>;

/// Calls that have begun come to their end, also when their client has gone: a change that is
/// asked for again finds its answer.
async fn answer_all(
    registry: &Arc<Registry>,
    stream: Boxed,
    stopped: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let (from, to) = tokio::io::split(stream);
    let (pieces, written) = mpsc::channel(QUEUE);
    let mut calls = JoinSet::new();
    let work = async {
        let frames = Frames::new(from, LONGEST_CALL).within(registry.memory.clone());
        let ended = read(registry, frames, &pieces, &mut calls, stopped).await;
        drop(pieces);
        while calls.join_next().await.is_some() {}
        ended
    };
    let (ended, _) = tokio::join!(work, write(to, written));
    ended
}

async fn read(
    registry: &Arc<Registry>,
    mut frames: Frames<impl AsyncRead + Unpin>,
    pieces: &Pieces,
    calls: &mut JoinSet<()>,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // Never closed.
        let place = room.clone().acquire_owned().await.ok();
        let next = tokio::select! {
            next = frames.next() => next?,
            _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
            () = pieces.closed() => return Ok(()),
        };
        let Some(Frame { number, piece, share, .. }) = next else { return Ok(()) };
        if number == ALIVE {
            continue;
        }
        let call = Call::decoded(piece).ok_or(Broken::Stranger)?;
        let (registry, pieces) = (registry.clone(), pieces.clone());
        while calls.try_join_next().is_some() {}
        calls.spawn(async move {
            let room = Room::of(&registry, &call).await;
            let answer = answer(&registry, call).await;
            let _room = room.for_all_of(&registry, &answer).await;
            for (more, piece) in frame::pieces(&answer) {
                // A client that has gone asks again.
                let _gone = pieces.send((number, more, piece)).await;
            }
            drop((place, share));
        });
    }
}

/// What an answer may take of the memory that those have together which are not sent yet. None of it
/// is closed ever.
enum Room<'a> {
    Scan { _place: Option<SemaphorePermit<'a>> },
    Bytes(Option<SemaphorePermit<'a>>),
}

impl<'a> Room<'a> {
    /// Waits while there is none: nothing is worked on then.
    async fn of(registry: &'a Registry, call: &Call) -> Self {
        match kind(&call.operation) {
            Some(Kind::Scan) => Self::Scan { _place: registry.scans.acquire().await.ok() },
            _ => Self::Bytes(registry.unsent.acquire_many(USUAL_ANSWER).await.ok()),
        }
    }

    /// Waits for more where the answer takes more; meanwhile it takes none, so that of several not
    /// each waits for the others.
    async fn for_all_of(self, registry: &'a Registry, answer: &Bytes) -> Self {
        match (self, u32::try_from(answer.len())) {
            (Self::Bytes(usual), Ok(length)) if length > USUAL_ANSWER => {
                drop(usual);
                Self::Bytes(registry.unsent.acquire_many(length).await.ok())
            }
            (room, _) => room,
        }
    }
}

async fn answer(registry: &Registry, call: Call) -> Bytes {
    let Some(key) = call.key else { return performed(registry, &call).await };
    let age = Duration::from_millis(call.age.into());
    let unknown = || refusal("whether the change was made isn't known any more");
    let Some(place) = registry.answers.of(key, age) else { return unknown() };
    let mut fresh = None;
    let known = place.get_or_init(|| async {
        let answer = performed(registry, &call).await;
        fresh = Some(answer.clone());
        remembered(&answer)
    });
    let known = known.await.clone();
    fresh.or(known).unwrap_or_else(unknown)
}

async fn performed(registry: &Registry, call: &Call) -> Bytes {
    answered(&call.operation, perform(&*registry.records, &call.operation, &call.arguments)).await
}

/// An answer whatever comes of the work: somebody waits for it.
async fn answered(operation: &str, work: impl Future<Output = Option<Vec<u8>>>) -> Bytes {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Some(answer)) if answer.len() <= LONGEST_ANSWER => answer.into(),
        Ok(Some(_)) => refusal("the answer is longer than answers may be"),
        Ok(None) => refusal("there is no such operation"),
        Err(_) => {
            tracing::error!(operation, "an operation panicked");
            let why = format!("{operation} panicked; the registry's log says where");
            encoded(&Err::<(), _>(Error::Database(Cause::Registry(why)))).into()
        }
    }
}

fn refusal(why: &str) -> Bytes {
    encoded(&Err::<(), _>(Error::Unavailable(Cause::Registry(why.to_owned())))).into()
}

async fn write(
    mut to: impl AsyncWrite + Unpin,
    mut pieces: mpsc::Receiver<(u32, bool, Bytes)>,
) -> Result<(), Broken> {
    let mut batch = Vec::with_capacity(QUEUE);
    let mut out = BytesMut::new();
    loop {
        match timeout(BEAT, pieces.recv_many(&mut batch, QUEUE)).await {
            Err(_) => frame::put(&mut out, ALIVE, false, &[]),
            Ok(0) => break,
            Ok(_) => {
                for (number, more, piece) in batch.drain(..) {
                    frame::put(&mut out, number, more, &piece);
                }
            }
        }
        // A client that reads nothing is given up, and its answers with it.
        while out.has_remaining() {
            timeout(SILENCE, to.write_buf(&mut out)).await.map_err(|_| Broken::Silent)??;
        }
        to.flush().await?;
    }
    Ok(to.shutdown().await?)
}

#[cfg(test)]
mod tests {
    use super::super::frame::decode;
    use super::*;

    #[tokio::test]
    async fn an_operation_that_panics_is_answered() {
        let answer = answered("Catalog.get", async { panic!("what nobody foresaw") }).await;
        let answer = decode::<crate::Result<()>>(&answer).unwrap();
        let said = answer.unwrap_err();
        assert!(matches!(said, Error::Database(_)), "{said}");
        assert!(said.to_string().contains("Catalog.get panicked"), "{said}");
    }
}
