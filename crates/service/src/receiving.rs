//! The uploads that this service receives, among those of others on the same catalog: they are noted
//! in the catalog, given signs of life, and ended where nobody receives them any more.
//!
//! This service's own end as soon as it does not know them: it was killed, or the catalog did not
//! answer when they ended. Those of others end once they are silent.
//!
//! Who was taken for dead and is not notices that before a store takes the bytes for whole
//! ([`Receipt::guarded`]). What it brings nevertheless is removed once nobody else can bring bytes to
//! the same place. So is what could not be removed when an upload failed, for its store was away.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use catalog::{Records, Result, UnderWay, Upload};
use futures::{StreamExt, future, stream};
use image::{Event, ImageId, Status};
use store::{Source, SourceError, Store, Stores};
use tokio::sync::OnceCell;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::imports;
use crate::watch::Watch;

/// From one sign of life to the next, which is also how often those of others are looked for.
const BEAT: Duration = Duration::from_secs(5);

/// The uploads of this service.
pub struct Receiving {
    records: Arc<dyn Records>,
    /// What the service is called in the catalog.
    holder: String,
    /// The number that goes with it, known from the first upload on.
    node: OnceCell<i64>,
    /// The keys of those that run here.
    running: Mutex<HashSet<String>>,
    /// What this service may have left behind.
    left: Mutex<HashSet<Left>>,
}

/// Bytes that may be at an image's place in a store, and are nobody's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Left {
    image: ImageId,
    store: String,
}

impl Receiving {
    /// For the service of that name, which it has from start to start and no other has.
    pub fn new(records: Arc<dyn Records>, service: &str) -> Self {
        let (node, running, left) = (OnceCell::new(), Mutex::default(), Mutex::default());
        Self { records, holder: catalog::holder(service), node, running, left }
    }

    /// Begins to receive the bytes of a queued image, for a store (`BeginUpload`) or for the staging
    /// area (`BeginStaging`); its state says so from now on.
    pub(crate) async fn begin(self: &Arc<Self>, image: ImageId, event: Event) -> Result<Receipt> {
        let receipt = self.enlist(Upload::of(image));
        self.records.begin_upload(self.node().await?, &receipt.upload, event).await?;
        Ok(receipt)
    }

    /// Bytes that this service brought to an image's place in a store may be there, and nobody's:
    /// they are removed once the store answers, and nobody else can bring any.
    pub(crate) fn may_have_left(&self, image: ImageId, store: &str) {
        self.left().insert(Left { image, store: store.to_owned() });
    }

    /// A store has refused bytes of an image. Only where it was away may it hold some of them.
    pub(crate) fn put_failed(&self, image: ImageId, store: &str, error: &store::Error) {
        if let store::Error::Unavailable { .. } = error {
            self.may_have_left(image, store);
        }
    }

    fn left(&self) -> MutexGuard<'_, HashSet<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left_of(&self, image: Option<ImageId>) -> Vec<Left> {
        let left = self.left();
        left.iter().filter(|left| image.is_none_or(|image| image == left.image)).cloned().collect()
    }

    /// Whether somebody has taken this service for dead. Where the catalog does not answer, that is
    /// said at the upload's end.
    async fn is_lost(&self, upload: &Upload) -> bool {
        let uploads = self.records.uploads().await;
        uploads.is_ok_and(|uploads| uploads.iter().all(|seen| seen.upload != *upload))
    }

    fn enlist(self: &Arc<Self>, upload: Upload) -> Receipt {
        self.running().insert(upload.key.clone());
        Receipt { upload, receiving: self.clone() }
    }

    async fn node(&self) -> Result<i64> {
        self.node.get_or_try_init(|| self.records.node(&self.holder)).await.copied()
    }

    fn running(&self) -> MutexGuard<'_, HashSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The images whose bytes other services receive.
    pub(crate) async fn of_others(&self) -> Result<HashSet<ImageId>> {
        let uploads = self.records.uploads().await?.into_iter();
        let others = uploads.filter(|seen| seen.holder != self.holder);
        Ok(others.map(|seen| seen.upload.image).collect())
    }

    async fn give_sign(&self) -> Result<()> {
        let is_idle = self.running().is_empty();
        if is_idle {
            return Ok(());
        }
        self.records.renew_uploads(self.node().await?).await
    }

    /// Takes over those that nobody receives any more.
    async fn abandoned(self: &Arc<Self>, watch: &mut Watch<Upload>) -> Result<Vec<Receipt>> {
        let uploads = self.records.uploads().await?;
        let signs = uploads.iter().map(|seen| (seen.upload.clone(), seen.renewed_at));
        let silent = watch.silent(signs, Instant::now());
        let is_abandoned = |seen: &UnderWay| match seen.holder == self.holder {
            true => !self.running().contains(&seen.upload.key),
            false => silent.contains(&seen.upload),
        };
        let mut taken = Vec::new();
        for seen in uploads.into_iter().filter(is_abandoned) {
            match self.records.take_upload_over(self.node().await?, &seen).await {
                Ok(upload) => taken.push(self.enlist(upload)),
                // It has ended meanwhile, or somebody was quicker.
                Err(catalog::Error::UploadLost(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }
}

/// An upload that this service has, as long as this lives.
pub(crate) struct Receipt {
    pub(crate) upload: Upload,
    receiving: Arc<Receiving>,
}

impl Receipt {
    /// Ends the upload whose bytes are not stored. What can't be ended now is by [`tend`].
    pub(crate) async fn end(self) {
        let image = self.upload.image;
        if let Err(error) = self.receiving.records.end_upload(&self.upload).await {
            tracing::warn!(%image, %error, "image is not put back to queued");
        }
    }

    /// Whether somebody has taken this service for dead.
    pub(crate) async fn is_lost(&self) -> bool {
        self.receiving.is_lost(&self.upload).await
    }

    /// The source, which fails at its end by `UploadLost` where somebody has taken this service for
    /// dead: before a store takes its bytes for whole.
    pub(crate) fn guarded(&self, source: Source) -> Source {
        let (receiving, upload) = (self.receiving.clone(), self.upload.clone());
        let end = async move {
            let is_lost = receiving.is_lost(&upload).await;
            is_lost.then(|| Err(SourceError::from(catalog::Error::UploadLost(upload.image))))
        };
        source.chain(stream::once(end).filter_map(future::ready)).boxed()
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.receiving.running().remove(&self.upload.key);
    }
}

/// Ends what an earlier run of this service left. Before the first request; [`tend`] would do it
/// after that.
pub async fn recover(app: &App) -> Result<()> {
    end_abandoned(app, &mut Watch::default()).await?;
    remove_left(app).await
}

/// Gives signs of life, and ends what nobody receives any more, until it is dropped. A store that does
/// not answer may hold up the latter, not the former.
pub async fn tend(app: &App) {
    let mut watch = Watch::default();
    let signs = at_each_beat(async || app.receiving.give_sign().await);
    let abandoned = at_each_beat(async || end_abandoned(app, &mut watch).await);
    let left = at_each_beat(async || remove_left(app).await);
    tokio::join!(signs, abandoned, left);
}

async fn at_each_beat(mut work: impl AsyncFnMut() -> Result<()>) {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(%error, "uploads that nobody receives can't be looked for");
        }
    }
}

async fn end_abandoned(app: &App, watch: &mut Watch<Upload>) -> Result<()> {
    for receipt in app.receiving.abandoned(watch).await? {
        let image = receipt.upload.image;
        if clear(app, image, app.catalog.status_of(image).await?).await {
            tracing::warn!(%image, "ending an upload that nobody receives");
            receipt.end().await;
        }
    }
    Ok(())
}

/// Removes what an upload left of an image in that state. Says whether it is done: a store that is
/// away is asked again later.
async fn clear(app: &App, image: ImageId, status: Option<Status>) -> bool {
    match status {
        Some(Status::Uploading) => {
            imports::unstage(&app.imports, image).await;
            true
        }
        None | Some(Status::Saving) => discard(&app.stores, image).await,
        Some(Status::Deleted | Status::PendingDelete) => {
            imports::unstage(&app.imports, image).await;
            discard(&app.stores, image).await
        }
        // Its bytes may be its own.
        _ => true,
    }
}

/// Removes what this service left behind, from those stores that answer.
async fn remove_left(app: &App) -> Result<()> {
    for left in app.receiving.left_of(None) {
        if answers(app, &left.store).await && remove(app, &left).await? {
            app.receiving.left().remove(&left);
        }
    }
    Ok(())
}

/// Removes what this service has left of an image that an upload has begun to.
pub(crate) async fn make_room(app: &App, receipt: &Receipt) {
    for left in app.receiving.left_of(Some(receipt.upload.image)) {
        if discard_in(app, &left).await {
            app.receiving.left().remove(&left);
        }
    }
}

async fn answers(app: &App, store: &str) -> bool {
    match app.stores.get(Some(store)) {
        Ok((_, bytes)) => bytes.probe().await.is_ok(),
        Err(_) => false,
    }
}

/// Removes what is left. Says whether it is done: while somebody else brings bytes, those may be at
/// the same place.
async fn remove(app: &App, left: &Left) -> Result<bool> {
    match app.receiving.begin(left.image, Event::BeginUpload).await {
        Ok(receipt) => {
            let done = discard_in(app, left).await;
            receipt.end().await;
            Ok(done)
        }
        Err(catalog::Error::NotFound(_)) => Ok(discard_in(app, left).await),
        Err(catalog::Error::Conflict { status, .. }) => {
            Ok(!matches!(status, Status::Saving | Status::Uploading | Status::Importing))
        }
        Err(error) => Err(error),
    }
}

async fn discard_in(app: &App, left: &Left) -> bool {
    match app.stores.get(Some(&left.store)) {
        Ok((name, bytes)) => discarded(name, bytes.as_ref(), left.image).await,
        Err(_) => true,
    }
}

/// Removes what an upload left in any store. Says whether it is done.
async fn discard(stores: &Stores, image: ImageId) -> bool {
    let mut done = true;
    for (name, bytes) in stores.iter() {
        done &= discarded(name, bytes.as_ref(), image).await;
    }
    done
}

async fn discarded(store: &str, bytes: &dyn Store, image: ImageId) -> bool {
    let Err(error) = bytes.discard(image).await else { return true };
    tracing::error!(%image, store, %error, "leftover stays");
    // A cluster may take bytes for being written for a while after their writer has gone.
    !matches!(error, store::Error::Unavailable { .. } | store::Error::InUse { .. })
}
