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
            // What lies elsewhere stays there.
            Ok(()) | Err(store::Error::NotFound(_) | store::Error::ReadOnly(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    catalog.transition(id, Event::Delete).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use catalog::Stored;
    use catalog::sql::SqlCatalog;
    use config::Config;
    use image::{Image, Location};
    use store::{Data, Error, Source, Store, Written};
    use tokio::sync::watch;

    use super::*;

    /// How many deletions there are at the same time: now, and at most.
    type Deletions = (usize, usize);

    /// A store in which a deletion ends only once as many run as are expected, and a little later,
    /// for one more may come.
    struct Slow {
        expected: usize,
        deletions: watch::Sender<Deletions>,
    }

    #[async_trait]
    impl Store for Slow {
        fn kind(&self) -> &'static str {
            "slow"
        }

        fn schemes(&self) -> &'static [&'static str] {
            &["slow"]
        }

        fn holds(&self, uri: &str) -> bool {
            uri.starts_with("slow://")
        }

        async fn put(&self, _: ImageId, _: Option<u64>, _: Source) -> store::Result<Written> {
            Err(Error::ReadOnly("slow".into()))
        }

        async fn open(&self, uri: &str, _: Range<u64>) -> store::Result<Data> {
            Err(Error::NotFound(uri.to_owned()))
        }

        async fn size(&self, _: &str) -> store::Result<u64> {
            Ok(1)
        }

        async fn delete(&self, _: &str) -> store::Result<()> {
            self.deletions
                .send_modify(|(now, most)| (*now, *most) = (*now + 1, (*now + 1).max(*most)));
            let mut deletions = self.deletions.subscribe();
            let enough = deletions.wait_for(|(_, most)| *most >= self.expected);
            tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.deletions.send_modify(|(now, _)| *now -= 1);
            Ok(())
        }

        async fn discard(&self, _: ImageId) -> store::Result<bool> {
            Ok(false)
        }
    }

    async fn deleted_image(catalog: &SqlCatalog) {
        let image = Image::new(ImageId::random(), None, Timestamp::now());
        catalog.create(&image).await.unwrap();
        let location = Location::new(format!("slow://{}", image.id), None);
        let stored = Stored { location, size: 1, virtual_size: None, hashes: None, upload: None };
        catalog.activate(image.id, &stored).await.unwrap();
        catalog.transition(image.id, Event::DeleteLater).await.unwrap();
    }

    #[tokio::test]
    async fn as_many_images_go_at_once_as_options_say() {
        for (options, expected) in [("", 1), ("scrub_pool_size = 3", 3), ("scrub_pool_size = 0", 1)]
        {
            let mut config = Config::default();
            config
                .add_text(&format!("[DEFAULT]\n{options}\n"), Path::new("glance-api.conf"))
                .unwrap();
            let rules = Deletion::from_config(&config).unwrap();
            let catalog = SqlCatalog::memory().await.unwrap();
            for _ in 0..6 {
                deleted_image(&catalog).await;
            }
            let store = Arc::new(Slow { expected, deletions: watch::Sender::default() });
            let stores = Stores::single("slow", store.clone());
            let done = scrub(&catalog, &stores, &rules).await.unwrap();
            assert_eq!(done, Scrubbed { images: 6, failed: 0 });
            assert_eq!(*store.deletions.borrow(), (0, expected), "{options}");
        }
    }
}
