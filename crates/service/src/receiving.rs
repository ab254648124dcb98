//! The uploads that this service receives, among those of others on the same catalog: they are noted
//! in the catalog, given signs of life, and ended where nobody receives them any more.
//!
//! This service's own end as soon as it does not know them: it was killed, or the catalog did not
//! answer when they ended. Those of others end once they are silent.
//!
//! Who was taken for dead and is not notices that before a store takes the bytes for whole
//! ([`Receipt::guarded`]). What it brings nevertheless is removed once nobody else can bring bytes to
//! the same place, as what is left in stores that were away ([`leftovers`](crate::leftovers)).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use catalog::{Records, Result, UnderWay, Upload};
use futures::{StreamExt, TryStreamExt, future, stream};
use image::{Event, ImageId, Status};
use store::{Source, SourceError};
use tokio::sync::OnceCell;

use crate::app::App;
use crate::watch::{Watch, at_each_beat};
use crate::{imports, leftovers};

/// Uploads that are ended at the same time.
const ENDED_AT_ONCE: usize = 8;

/// The uploads of this service.
pub struct Receiving {
    records: Arc<dyn Records>,
    /// What the service is called in the catalog.
    holder: String,
    /// The number that goes with it, known from the first upload on.
    node: OnceCell<i64>,
    /// The keys of those that run here.
    running: Mutex<HashSet<String>>,
}

impl Receiving {
    /// For the service of that name, which it has from start to start and no other has.
    pub fn new(records: Arc<dyn Records>, service: &str) -> Self {
        let (node, running) = (OnceCell::new(), Mutex::default());
        Self { records, holder: catalog::holder(service), node, running }
    }

    /// Begins to receive the bytes of a queued image, for a store (`BeginUpload`) or for the staging
    /// area (`BeginStaging`); its state says so from now on.
    pub(crate) async fn begin(self: &Arc<Self>, image: ImageId, event: Event) -> Result<Receipt> {
        let receipt = self.enlist(Upload::of(image));
        self.records.begin_upload(self.node().await?, &receipt.upload, event).await?;
        Ok(receipt)
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

    /// The same upload, which its old key can't end any more. A change that the database still makes
    /// by that key, for a connection that was lost, is waited for. Errors: `UploadLost` where one has
    /// ended it; after any error the upload is for [`tend`].
    pub(crate) async fn with_another_key(self) -> Result<Self> {
        let receiving = &self.receiving;
        loop {
            let uploads = receiving.records.uploads().await?;
            let Some(seen) = uploads.into_iter().find(|seen| seen.upload == self.upload) else {
                return Err(catalog::Error::UploadLost(self.upload.image));
            };
            match receiving.records.take_upload_over(receiving.node().await?, &seen).await {
                Ok(upload) => return Ok(receiving.enlist(upload)),
                // It has ended since it was seen, or this service gave a sign of life.
                Err(catalog::Error::UploadLost(_)) => {}
                Err(error) => return Err(error),
            }
        }
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
    leftovers::remove_all(app).await
}

/// Gives signs of life, and ends what nobody receives any more, until it is dropped. A store that does
/// not answer may hold up the latter, not the former.
pub async fn tend(app: &App) {
    const TROUBLE: &str = "uploads that nobody receives can't be looked for";
    let mut watch = Watch::default();
    let signs = at_each_beat(TROUBLE, async || app.receiving.give_sign().await);
    let abandoned = at_each_beat(TROUBLE, async || end_abandoned(app, &mut watch).await);
    tokio::join!(signs, abandoned, leftovers::tend(app));
}

async fn end_abandoned(app: &App, watch: &mut Watch<Upload>) -> Result<()> {
    let abandoned = app.receiving.abandoned(watch).await?;
    let ended = stream::iter(abandoned).map(|receipt| end(app, receipt));
    ended.buffer_unordered(ENDED_AT_ONCE).try_collect().await
}

async fn end(app: &App, receipt: Receipt) -> Result<()> {
    let image = receipt.upload.image;
    clear(app, image, app.catalog.status_of(image).await?).await;
    if app.leftovers.are_noted(image) {
        tracing::warn!(%image, "ending an upload that nobody receives");
        receipt.end().await;
    }
    Ok(())
}

/// Removes what an upload left of an image in that state; what a store has that is away is noted.
async fn clear(app: &App, image: ImageId, status: Option<Status>) {
    match status {
        Some(Status::Uploading) => imports::unstage(&app.imports, image).await,
        None | Some(Status::Saving) => drop(leftovers::clear_all(app, image).await),
        Some(Status::Deleted | Status::PendingDelete) => {
            imports::unstage(&app.imports, image).await;
            leftovers::clear_all(app, image).await;
        }
        // Its bytes may be its own.
        _ => {}
    }
}
