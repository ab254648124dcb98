//! Removing the bytes of images whose deletion was put off (`delayed_delete`), once `scrub_time`
//! has passed.
//!
//! Several processes may scrub at the same time, and images may be restored meanwhile: an image
//! whose bytes begin to go can't be restored any more, and bytes that somebody else has removed
//! already are no error. What fails stays `pending_delete` and is tried again by the next scrub.

use catalog::{Catalog, Result};
use futures::{StreamExt, stream};
use image::{Event, ImageId, Timestamp};
use store::{Stores, UnknownStore};
use thiserror::Error;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::rules::Deletion;

/// What a scrub came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Images that are deleted now.
    pub images: usize,
    /// Images of which something could not be removed.
    pub failed: usize,
}

/// One scrub: every image whose time has come. Errors: the catalog can't tell which they are.
pub async fn scrub(catalog: &dyn Catalog, stores: &Stores, rules: &Deletion) -> Result<Scrubbed> {
    let wait = i64::try_from(rules.wait.as_micros()).unwrap_or(i64::MAX);
    let now = Timestamp::now().as_microsecond();
    let due = catalog.pending_deletions(Timestamp::from_microsecond(now - wait)).await?;
    let outcomes = stream::iter(due)
        .map(|id| one(catalog, stores, id))
        .buffer_unordered(rules.parallel)
        .collect::<Vec<_>>()
        .await;
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    Ok(Scrubbed { images: count(Outcome::Deleted), failed: count(Outcome::Failed) })
}

/// Scrubs as often as the rules say, until it is dropped. Does nothing where bytes go at once, nor
/// where no `scrub_time` is set: whether a deletion can be taken back would be a matter of luck
/// then, so the operator runs the scrub, as with Glance.
pub async fn scrub_repeatedly(app: &App) {
    let rules = &app.rules.deletion;
    if !rules.delayed || rules.wait.is_zero() {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(rules.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match scrub(app.catalog.as_ref(), &app.stores, rules).await {
            Ok(Scrubbed { images: 0, failed: 0 }) => {}
            Ok(Scrubbed { images, failed }) => tracing::info!(images, failed, "scrubbed"),
            Err(error) => tracing::error!(%error, "nothing is scrubbed this time"),
        }
    }
}

/// What became of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Deleted,
    Failed,
    /// Restored meanwhile, or scrubbed by another process.
    NotOurs,
}

async fn one(catalog: &dyn Catalog, stores: &Stores, id: ImageId) -> Outcome {
    match try_one(catalog, stores, id).await {
        Ok(()) => Outcome::Deleted,
        Err(Why::Catalog(catalog::Error::NotFound(_) | catalog::Error::Conflict { .. })) => {
            Outcome::NotOurs
        }
        Err(why) => {
            tracing::warn!(image = %id, %why, "image stays pending_delete");
            Outcome::Failed
        }
    }
}

#[derive(Debug, Error)]
enum Why {
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Unknown(#[from] UnknownStore),
}

async fn try_one(catalog: &dyn Catalog, stores: &Stores, id: ImageId) -> Result<(), Why> {
    // The latest one first: it may be a clone of an earlier one.
    for location in catalog.begin_scrub(id).await?.into_iter().rev() {
        match stores.holding(&location)?.delete(&location.uri).await {
            Ok(()) | Err(store::Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    catalog.transition(id, Event::Delete).await?;
    Ok(())
}
