//! The uploads that this service receives, among those of others on the same catalog: they are noted
//! in the catalog, given signs of life, and ended where nobody receives them any more.
//!
//! This service's own end as soon as it does not know them: it was killed, or the catalog did not
//! answer when they ended. Those of others end once they are silent.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalog::{Records, Result, UnderWay, Upload};
use image::{ImageId, Status};
use store::Stores;
use tokio::sync::OnceCell;
use tokio::time::MissedTickBehavior;

use crate::app::App;
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
}

impl Receiving {
    /// For the service of that name, which it has from start to start and no other has.
    pub fn new(records: Arc<dyn Records>, service: &str) -> Self {
        let (node, running) = (OnceCell::new(), Mutex::default());
        Self { records, holder: catalog::holder(service), node, running }
    }

    /// Begins to receive the bytes of a queued image, whose state says so from now on.
    pub(crate) async fn begin(self: &Arc<Self>, image: ImageId) -> Result<Receipt> {
        let receipt = self.enlist(Upload::of(image));
        self.records.begin_upload(self.node().await?, &receipt.upload).await?;
        Ok(receipt)
    }

    fn enlist(self: &Arc<Self>, upload: Upload) -> Receipt {
        self.running().insert(upload.key.clone());
        Receipt { upload, receiving: self.clone() }
    }

    async fn node(&self) -> Result<i64> {
        self.node.get_or_try_init(|| self.records.node(&self.holder)).await.copied()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
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
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.receiving.running().remove(&self.upload.key);
    }
}

/// Gives signs of life, and ends what nobody receives any more, until it is dropped.
pub async fn tend(app: &App) {
    let mut watch = Watch::default();
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = look(app, &mut watch).await {
            tracing::warn!(%error, "uploads that nobody receives can't be looked for");
        }
    }
}

async fn look(app: &App, watch: &mut Watch<Upload>) -> Result<()> {
    app.receiving.give_sign().await?;
    for receipt in app.receiving.abandoned(watch).await? {
        let image = receipt.upload.image;
        let status = app.catalog.status_of(image).await?;
        // Any other image's bytes may be its own.
        let is_nobodys =
            matches!(status, None | Some(Status::Saving | Status::Deleted | Status::PendingDelete));
        if is_nobodys && !discard(&app.stores, image).await {
            continue;
        }
        tracing::warn!(%image, "ending an upload that nobody receives");
        receipt.end().await;
    }
    Ok(())
}

/// Removes what an upload left in any store. Says whether it is done: a store that is away is asked
/// again later.
async fn discard(stores: &Stores, image: ImageId) -> bool {
    let mut done = true;
    for (store, bytes) in stores.iter() {
        match bytes.discard(image).await {
            Ok(_) => {}
            Err(error) => {
                done &= !matches!(error, store::Error::Unavailable { .. });
                tracing::error!(%image, store, %error, "leftover stays");
            }
        }
    }
    done
}
