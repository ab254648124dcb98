//! A store of files whose server goes away when it is told to, and comes back.

use std::ops::Range;

use ::store::{Data, Error, FileStore, Result, Source, Store, Written};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use image::ImageId;
use tokio::sync::watch;

/// How its server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Here,
    /// It takes bytes, and goes before all are there.
    Leaving,
    Gone,
    /// It answers nothing, until its state changes.
    Hanging,
    /// The same, but that it says that it is here, and takes the first bytes.
    Stalling,
}

pub(crate) struct Away {
    files: FileStore,
    state: watch::Sender<State>,
    halves: watch::Sender<usize>,
}

impl Away {
    pub(crate) fn over(files: FileStore) -> Self {
        Self { files, state: watch::Sender::new(State::Here), halves: watch::Sender::new(0) }
    }

    pub(crate) fn is(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Waits until it has some bytes of an image, and not all.
    pub(crate) async fn has_half(&self) {
        self.has_halves(1).await;
    }

    /// The same of so many images.
    pub(crate) async fn has_halves(&self, count: usize) {
        self.halves.subscribe().wait_for(|halves| *halves >= count).await.unwrap();
    }

    async fn answer(&self) -> Result<()> {
        let mut states = self.state.subscribe();
        let hangs = |state: &State| matches!(state, State::Hanging | State::Stalling);
        match *states.wait_for(|state| !hangs(state)).await.unwrap() {
            State::Here => Ok(()),
            _ => Err(Error::Unavailable { store: "away".into(), why: "it is away".into() }),
        }
    }
}

#[async_trait]
impl Store for Away {
    fn kind(&self) -> &'static str {
        "away"
    }

    fn schemes(&self) -> &'static [&'static str] {
        self.files.schemes()
    }

    fn holds(&self, uri: &str) -> bool {
        self.files.holds(uri)
    }

    async fn probe(&self) -> Result<()> {
        if *self.state.borrow() == State::Stalling {
            return Ok(());
        }
        self.answer().await
    }

    async fn put(&self, id: ImageId, _: Option<u64>, mut source: Source) -> Result<Written> {
        if !matches!(*self.state.borrow(), State::Leaving | State::Stalling) {
            self.answer().await?;
        }
        let mut taken = Vec::new();
        while let Some(piece) = source.next().await {
            taken.push(Ok(piece.map_err(Error::Source)?));
            if *self.state.borrow() != State::Here {
                self.files.put(id, None, stream::iter(taken).boxed()).await?;
                self.halves.send_modify(|halves| *halves += 1);
                let gone = |state: &mut State| std::mem::replace(state, State::Gone) != State::Gone;
                self.state.send_if_modified(|state| *state == State::Leaving && gone(state));
                self.answer().await?;
                return Err(Error::Unavailable { store: "away".into(), why: "it was away".into() });
            }
        }
        self.files.put(id, None, stream::iter(taken).boxed()).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> Result<Data> {
        self.answer().await?;
        self.files.open(uri, range).await
    }

    async fn size(&self, uri: &str) -> Result<u64> {
        self.answer().await?;
        self.files.size(uri).await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.answer().await?;
        self.files.delete(uri).await
    }

    async fn discard(&self, id: ImageId) -> Result<bool> {
        self.answer().await?;
        self.files.discard(id).await
    }
}
