//! The work of the cache that nobody waits for: fetching queued images, pruning, recording hits.

use std::sync::Arc;
use std::time::Duration;

use catalog::Viewer;
use image::{Image, ImageId, Status};
use tokio::time::{Instant, MissedTickBehavior};

use super::Cache;
use super::fill::Progress;
use super::filling::Filling;
use crate::app::App;
use crate::reading::Origin;

/// How often hits are recorded.
const RECORDING: Duration = Duration::from_secs(10);

/// Works until `stop` resolves, then records what is not recorded yet. Without a cache there is
/// nothing to do.
pub async fn work(app: Arc<App>, stop: impl Future<Output = ()>) {
    let Some(cache) = app.cache.clone() else { return };
    tokio::select! {
        () = stop => {}
        () = keep_recording(&cache) => {}
        () = keep_pruning(&cache) => {}
        () = keep_fetching(&app, &cache) => {}
    }
    cache.record_hits().await;
}

async fn keep_recording(cache: &Cache) {
    let mut ticks = ticks(RECORDING);
    loop {
        ticks.tick().await;
        cache.record_hits().await;
    }
}

async fn keep_pruning(cache: &Cache) {
    loop {
        cache.prune().await;
        cache.grown.notified().await;
    }
}

async fn keep_fetching(app: &App, cache: &Arc<Cache>) {
    // Zero would be never ending.
    let mut retrying = ticks(cache.prefetch_interval.max(Duration::from_secs(1)));
    loop {
        match cache.queued().await {
            Ok(queued) => fetch_all(app, cache, queued).await,
            Err(error) => tracing::error!(%error, "the queue of the image cache can't be read"),
        }
        tokio::select! {
            () = cache.queued.notified() => {}
            _ = retrying.tick() => {}
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Fetches one after the other: downloads that somebody waits for come first. What fails stays in
/// the queue until the next time.
async fn fetch_all(app: &App, cache: &Arc<Cache>, queued: Vec<ImageId>) {
    for id in queued {
        match wanted(app, cache, id).await {
            Ok(Some((image, origin))) => fetch(cache, &image, &origin).await,
            Ok(None) => {
                if let Err(error) = cache.dequeue(id).await {
                    tracing::error!(image = %id, %error, "an image stays in the cache's queue");
                }
            }
            Err(error) => tracing::warn!(image = %id, %error, "a queued image is not fetched yet"),
        }
    }
}

/// What is to be fetched; `None` when there is nothing to fetch, now or later.
async fn wanted(app: &App, cache: &Cache, id: ImageId) -> catalog::Result<Option<(Image, Origin)>> {
    if cache.holds(id) {
        return Ok(None);
    }
    let image = match app.catalog.get(&Viewer::service(), id).await {
        Err(catalog::Error::NotFound(_)) => return Ok(None),
        found => found?,
    };
    let fits = image.size.is_some_and(|size| cache.fits(size));
    if image.status != Status::Active || !fits {
        tracing::warn!(image = %id, status = %image.status, size = image.size, "can't be cached");
        return Ok(None);
    }
    let origin = Origin::of(&image, &app.stores);
    Ok(Some((image, origin)))
}

async fn fetch(cache: &Arc<Cache>, image: &Image, origin: &Origin) {
    let size = image.size.unwrap_or_default();
    match cache.fill(image, size, origin).await {
        Ok(Filling::Under(mut followed)) => {
            let ended = |progress: &Progress| !matches!(progress, Progress::Growing(_));
            // How it ended is said by the fill itself.
            let _ = followed.progress.wait_for(ended).await;
        }
        Ok(Filling::Done) => {}
        Err(error) => tracing::error!(image = %image.id, %error, "can't fill the image cache"),
    }
}
