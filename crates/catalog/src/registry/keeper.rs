//! A client's connection: kept open, and made anew when it breaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::broken::Broken;
use super::frame::{self, ALIVE, BEAT, Frames, LONGEST_ANSWER};
use super::greeting::Greeting;
use super::route::Route;
use super::stream::Boxed;

/// How long a connection may take until it can be used.
const CONNECT: Duration = Duration::from_secs(5);

/// How long is waited between two tries, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Calls that wait to be written, at most.
const QUEUE: usize = 1024;

/// Calls that are written at once, at most.
const BATCH: usize = 64;

/// A connection's state.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Calls can be made.
    Up(Link),
    /// Since when, and why not.
    Down(Instant, Arc<Broken>),
    /// Nobody has tried yet.
    New,
}

/// A connection on which calls can be made.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) instance: [u8; 16],
    calls: mpsc::Sender<Asked>,
}

type Asked = (Bytes, oneshot::Sender<Bytes>);

impl Link {
    pub(super) fn is_open(&self) -> bool {
        !self.calls.is_closed()
    }

    /// The answer; `None` where the connection broke before it came.
    pub(super) async fn ask(&self, call: Bytes) -> Option<Bytes> {
        let (answer, answered) = oneshot::channel();
        self.calls.send((call, answer)).await.ok()?;
        answered.await.ok()
    }
}

/// Keeps one connection, for as long as somebody looks at its state.
pub(super) async fn keep(route: Arc<Route>, state: watch::Sender<State>) {
    let mut pause = Duration::from_millis(50);
    let mut down = Instant::now();
    let mut told = false;
    loop {
        let broken = match timeout(CONNECT, open(&route)).await.unwrap_or(Err(Broken::Silent)) {
            Ok((stream, instance)) => {
                pause = Duration::from_millis(50);
                told = false;
                let (calls, asked) = mpsc::channel(QUEUE);
                state.send_replace(State::Up(Link { instance, calls }));
                let broken = run(stream, asked).await;
                down = Instant::now();
                broken
            }
            Err(broken) => broken,
        };
        if !std::mem::replace(&mut told, true) {
            tracing::warn!("no connection to the registry {}: {broken}", route.address);
        }
        state.send_replace(State::Down(down, Arc::new(broken)));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(route: &Route) -> Result<(Boxed, [u8; 16]), Broken> {
    let mut stream = route.connect().await?;
    let said = Greeting::new([0; 16]).say(&mut stream).await;
    // Only now it shows whether the registry takes our certificate (RFC 8446, section 4.4.2.4).
    let registry = Greeting::hear(&mut stream).await?;
    said?;
    registry.agrees("registry")?;
    Ok((stream, registry.instance))
}

/// Calls whose answers are under way, with what has come of them.
type Pending = Mutex<HashMap<u32, (BytesMut, oneshot::Sender<Bytes>)>>;

async fn run(stream: Boxed, asked: mpsc::Receiver<Asked>) -> Broken {
    let (from, to) = tokio::io::split(stream);
    let pending = Pending::default();
    let broken = tokio::select! {
        broken = write(to, asked, &pending) => broken,
        broken = read(Frames::new(from, LONGEST_ANSWER), &pending) => broken,
    };
    broken.err().unwrap_or(Broken::Silent)
}

async fn write(
    mut to: impl AsyncWrite + Unpin,
    mut asked: mpsc::Receiver<Asked>,
    pending: &Pending,
) -> Result<(), Broken> {
    let mut number = ALIVE;
    let mut batch = Vec::with_capacity(BATCH);
    let mut out = BytesMut::new();
    loop {
        match timeout(BEAT, asked.recv_many(&mut batch, BATCH)).await {
            Err(_) => frame::put(&mut out, ALIVE, false, &[]),
            Ok(0) => return Ok(()),
            Ok(_) => {
                let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
                for (call, answer) in batch.drain(..) {
                    number = number.wrapping_add(1).max(ALIVE + 1);
                    frame::put(&mut out, number, false, &call);
                    pending.insert(number, (BytesMut::new(), answer));
                }
            }
        }
        to.write_all_buf(&mut out).await?;
        to.flush().await?;
    }
}

async fn read(
    mut frames: Frames<impl tokio::io::AsyncRead + Unpin>,
    pending: &Pending,
) -> Result<(), Broken> {
    while let Some(frame) = frames.next().await? {
        let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((so_far, _)) = pending.get_mut(&frame.number) else { continue };
        if so_far.len() + frame.piece.len() > LONGEST_ANSWER {
            return Err(Broken::TooLong(so_far.len() + frame.piece.len()));
        }
        let is_whole = so_far.is_empty() && !frame.more;
        if !is_whole {
            so_far.extend_from_slice(&frame.piece);
        }
        if !frame.more
            && let Some((so_far, answer)) = pending.remove(&frame.number)
        {
            // Whoever asked may have gone.
            let _gone = answer.send(if is_whole { frame.piece } else { so_far.freeze() });
        }
    }
    Ok(())
}
