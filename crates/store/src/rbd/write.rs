//! The way in: an image that grows, several writes under way, and its snapshot when it is whole.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::Mutex;

use super::ceph::{Closed, Failure, Image, Pool, Shape};
use super::connection::Connection;
use super::remove::{Cloned, Kept, remove};
use crate::blocking::blocking;
use crate::remote::{Part, Parts};
use crate::{Result, Source};

/// The snapshot of an image that is whole: what others read, and clone.
pub(super) const SNAPSHOT: &str = "snap";

/// How many bytes a write has, at most.
pub(super) const WRITE: u64 = 4 * 1024 * 1024;

/// Writes that are under way, at most. With the copy that the network's side of librados may hold of
/// each, and the part that is being gathered, a transfer stays below 60 MiB.
const AT_ONCE: usize = 4;

/// By how many bytes an image of unknown length grows first, and at most: glance_store's steps.
const FIRST_STEP: u64 = 16 * 1024 * 1024;
const LARGEST_STEP: u64 = 8 * 1024 * 1024 * 1024;

/// How long what is under way of an upload that has failed is waited for. A cluster that has stopped to
/// answer keeps it much longer; what is left is removed later.
const ENDING: Duration = Duration::from_secs(20);

/// How images are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// Whether writes of zeros are left out.
    pub(super) thin: bool,
}

/// An image that is being written, for whoever has to undo it.
#[derive(Clone)]
pub(super) struct Half {
    connection: Arc<Connection>,
    pool: Arc<Pool>,
    name: String,
    /// What was made of it. Held while it is being made.
    made: Arc<Mutex<Made>>,
}

#[derive(Default)]
enum Made {
    #[default]
    Nothing,
    /// The image is there, and not open.
    Image,
    /// It was opened.
    Opened(Closed),
}

impl Half {
    pub(super) fn of(connection: Arc<Connection>, pool: Arc<Pool>, name: String) -> Self {
        Self { connection, pool, name, made: Arc::default() }
    }

    /// Writes all of a source, and takes the snapshot; returns how many bytes they were.
    pub(super) async fn fill(
        &self,
        uri: &str,
        layout: Layout,
        hint: Option<u64>,
        source: Source,
    ) -> Result<u64> {
        let failed = |failure| self.connection.failed(uri, failure);
        let size = hint.unwrap_or(0);
        let make = move |pool: &Pool, name: &str| pool.create(name, size, layout.shape);
        let image = self.begin(make).await.map_err(failed)?;
        let writes = Writes::of(image);
        let mut writing = Writing { writes, thin: layout.thin, size, step: FIRST_STEP, end: 0 };
        let mut parts = Parts::of(source);
        loop {
            let part = parts.next(WRITE).await?;
            if part.length == 0 {
                break;
            }
            writing.write(part).await.map_err(failed)?;
        }
        writing.finish().await.map_err(failed)
    }

    /// Makes the image a copy-on-write clone of a snapshot of another one, and takes its snapshot;
    /// returns how many bytes it has.
    pub(super) async fn clone_of(
        &self,
        parent: Arc<Pool>,
        (of, snapshot): (String, String),
        shape: Shape,
    ) -> Result<u64, Failure> {
        let clone =
            move |pool: &Pool, name: &str| pool.clone_of(&parent, (&of, &snapshot), name, shape);
        let image = self.begin(clone).await?;
        blocking(move || {
            let size = image.size()?;
            complete(image)?;
            Ok(size)
        })
        .await
    }

    /// Makes the image, and opens it. Whoever stops waiting does not stop it.
    async fn begin(
        &self,
        make: impl FnOnce(&Pool, &str) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Image, Failure> {
        let mut made = self.made.clone().lock_owned().await;
        let (pool, name) = (self.pool.clone(), self.name.clone());
        blocking(move || {
            make(&pool, &name)?;
            *made = Made::Image;
            let image = pool.open(&name, None)?;
            *made = Made::Opened(image.closed());
            Ok(image)
        })
        .await
    }

    /// Waits until everything has ended that was under way. Says whether anything was made.
    async fn ended(&self) -> bool {
        match std::mem::take(&mut *self.made.lock().await) {
            Made::Nothing => return false,
            Made::Image => {}
            Made::Opened(closed) => closed.wait().await,
        }
        true
    }

    /// Removes what was made, once everything has ended that was under way. What can't be removed is
    /// logged, and so is what goes on for too long.
    pub(super) async fn undo(self) {
        match tokio::time::timeout(ENDING, self.ended()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                let image = self.name;
                return tracing::error!(image, "an image that is not whole stays open");
            }
        }
        let (pool, name) = (self.pool, self.name.clone());
        match blocking(move || remove(&pool, &name, Some(SNAPSHOT), Cloned::Trash)).await {
            Ok(()) => {}
            Err(Kept::Failed(failure)) if failure.code() == libc::ENOENT => {}
            Err(kept) => {
                tracing::error!(?kept, image = self.name, "an image that is not whole stays");
            }
        }
    }
}

/// Writes of an image, several of them under way.
pub(super) struct Writes {
    image: Image,
    under_way: FuturesUnordered<BoxFuture<'static, Result<(), Failure>>>,
}

impl Writes {
    pub(super) fn of(image: Image) -> Self {
        Self { image, under_way: FuturesUnordered::new() }
    }

    /// Begins to write a part, when there is room for it among those under way.
    pub(super) async fn begin(&mut self, offset: u64, part: Part) -> Result<(), Failure> {
        while self.under_way.len() >= AT_ONCE {
            self.one().await?;
        }
        self.under_way.push(Box::pin(self.image.write(offset, part.pieces)));
        Ok(())
    }

    /// Waits for a write.
    async fn one(&mut self) -> Result<(), Failure> {
        self.under_way.next().await.unwrap_or(Ok(()))
    }

    /// Waits for all writes.
    pub(super) async fn finish(mut self) -> Result<Image, Failure> {
        while !self.under_way.is_empty() {
            self.one().await?;
        }
        Ok(self.image)
    }
}

/// An image that is filled.
struct Writing {
    writes: Writes,
    thin: bool,
    /// How many bytes the image has room for.
    size: u64,
    /// By how many it grows next.
    step: u64,
    /// How many there are.
    end: u64,
}

impl Writing {
    /// Begins to write a part at the end.
    async fn write(&mut self, part: Part) -> Result<(), Failure> {
        let offset = self.end;
        self.end += part.length;
        self.grow().await?;
        if self.thin && part.is_zero() {
            return Ok(());
        }
        self.writes.begin(offset, part).await
    }

    async fn grow(&mut self) -> Result<(), Failure> {
        if self.end <= self.size {
            return Ok(());
        }
        self.size = self.end.max(self.size.saturating_add(self.step));
        self.step = (self.step * 2).min(LARGEST_STEP);
        let (image, size) = (self.writes.image.clone(), self.size);
        blocking(move || image.resize(size)).await
    }

    /// Waits for all writes, cuts the image to its size, takes the snapshot, and closes the image.
    async fn finish(self) -> Result<u64, Failure> {
        let Self { writes, size, end, .. } = self;
        let image = writes.finish().await?;
        blocking(move || {
            if size != end {
                image.resize(end)?;
            }
            complete(image)?;
            Ok(end)
        })
        .await
    }
}

/// Takes the snapshot of an image that is whole, and closes it.
fn complete(image: Image) -> Result<(), Failure> {
    image.snapshot(SNAPSHOT)?;
    image.protect(SNAPSHOT)?;
    image.close();
    Ok(())
}
