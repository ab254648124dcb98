//! Trying a store out: a probe is written, read and deleted.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use image::ImageId;

use crate::{Error, Result, Store};

/// What the probe holds, and how often, so that it is more than a single packet.
const PROBE: &[u8] = b"A probe of whether this store can be written and read. ";
const TIMES: usize = 1024;

/// A step of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The server answers, and takes the credentials.
    Reach,
    /// The probe is written.
    Write,
    /// It is read again.
    Read,
    /// A URL that clients are sent to opens it.
    Direct,
    /// It is deleted.
    Delete,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Reach => "reach",
            Step::Write => "write",
            Step::Read => "read",
            Step::Direct => "direct",
            Step::Delete => "delete",
        })
    }
}

/// What came of a check: the steps that were done, how long each took, and the one that failed.
#[derive(Debug, Default)]
pub struct Checked {
    /// The steps that were done, in their order.
    pub done: Vec<(Step, Duration)>,
    /// The step that failed, and why.
    pub failed: Option<(Step, Error)>,
}

impl Checked {
    /// Notes a step, and gives what came of it.
    fn note<T>(&mut self, step: Step, began: Instant, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.done.push((step, began.elapsed()));
                Some(value)
            }
            // What failed first says why.
            Err(error) => {
                self.failed.get_or_insert((step, error));
                None
            }
        }
    }
}

/// Tries a store out: reaches it, and writes, reads and deletes a probe where it takes any from the
/// service. What was written is deleted also when it can't be read.
pub async fn check(store: &dyn Store) -> Checked {
    let mut checked = Checked::default();
    let began = Instant::now();
    let reached = checked.note(Step::Reach, began, store.probe().await);
    let abilities = store.abilities();
    if reached.is_none() || !abilities.writable || abilities.needs_caller {
        return checked;
    }
    let began = Instant::now();
    let Some(uri) = checked.note(Step::Write, began, write(store).await) else { return checked };
    let began = Instant::now();
    checked.note(Step::Read, began, read(store, &uri).await);
    let began = Instant::now();
    if let Some(opened) = direct(store, &uri).await.transpose() {
        checked.note(Step::Direct, began, opened);
    }
    let began = Instant::now();
    checked.note(Step::Delete, began, store.delete(&uri).await);
    checked
}

async fn write(store: &dyn Store) -> Result<String> {
    let pieces = stream::repeat_with(|| Ok(Bytes::from_static(PROBE))).take(TIMES).boxed();
    let size = (PROBE.len() * TIMES) as u64;
    Ok(store.put(ImageId::random(), Some(size), pieces).await?.uri)
}

async fn read(store: &dyn Store, uri: &str) -> Result<()> {
    let size = store.size(uri).await?;
    let data = store.open(uri, 0..size).await?;
    let bytes: BytesMut = data
        .try_fold(BytesMut::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await?;
    same(store, bytes == PROBE.repeat(TIMES))
}

/// Whether a URL opens the probe; `None` where the store hands none out.
async fn direct(store: &dyn Store, uri: &str) -> Result<Option<()>> {
    let Some(direct) = store.direct(uri).await? else { return Ok(None) };
    same(store, direct.size == (PROBE.len() * TIMES) as u64).map(Some)
}

fn same(store: &dyn Store, as_written: bool) -> Result<()> {
    match as_written {
        true => Ok(()),
        false => Err(Error::Unavailable {
            store: store.kind().to_owned(),
            why: "it gives other bytes than were written".to_owned(),
        }),
    }
}
