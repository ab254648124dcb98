//! Copies that stores make by themselves, of bytes that another store of their kind holds: as
//! clones of an image in the same cluster, as files that share their blocks. They are read, to see
//! that they are what the image's record describes, and never written by us.

use axum::body::Body;
use futures::TryStreamExt;
use image::{Image, Location};
use store::{Original, Written};

use super::failure::{Failure, ended_early};
use super::pipe::{Running, intake, remove};
use super::pulse::Copied;
use super::signed::known_digests;
use super::spread::Target;
use crate::app::App;
use crate::keys::Token;
use crate::{leftovers, quota};

/// What some of the stores have by themselves, and those that need the bytes.
#[derive(Default)]
pub(super) struct Cloned {
    pub(super) locations: Vec<Location>,
    pub(super) rest: Vec<Target>,
}

/// Lets each store that can copy the image from where it is, as long as the task is ours: what is in the
/// same place otherwise may be another service's.
/// Errors: a copy is not what the record describes; nothing is left then.
pub(super) async fn clone(
    app: &App,
    image: &Image,
    targets: &[Target],
    token: Option<&Token>,
    copied: &Copied,
) -> Result<Cloned, Failure> {
    let mut cloned = Cloned::default();
    for target in targets {
        copied.held().await;
        let Some(written) = attempt(app, image, target).await else {
            cloned.rest.push(target.clone());
            continue;
        };
        cloned.locations.push(app.stores.location(&target.0, written.uri.clone()));
        if let Err(why) = verify(app, image, target, &written, token, copied).await {
            copied.held().await;
            remove(app, image.id, &cloned.locations).await;
            return Err(why);
        }
    }
    Ok(cloned)
}

/// A copy from the first location that can be copied from. Whatever stands in the way is told when
/// the bytes are written instead.
async fn attempt(app: &App, image: &Image, (name, store): &Target) -> Option<Written> {
    if !store.abilities().copies {
        return None;
    }
    for location in &image.locations {
        let Ok(holder) = app.stores.holding(location) else { continue };
        if holder.kind() != store.kind() {
            continue;
        }
        let from = Original { store: &**holder, uri: &location.uri };
        match store.copy(image.id, from).await {
            Ok(Some(written)) => return Some(written),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(image = %image.id, store = name, %error, "not copied by the store");
                leftovers::after_put(app, image.id, name, &error).await;
            }
        }
    }
    None
}

/// Reads a copy, and compares it with the record.
async fn verify(
    app: &App,
    image: &Image,
    (name, store): &Target,
    written: &Written,
    token: Option<&Token>,
    copied: &Copied,
) -> Result<(), Failure> {
    if image.size.is_some_and(|size| size != written.size) {
        return Err(Failure::Corrupt);
    }
    let digests = known_digests(app, image, token).await?;
    let data = store.open(&written.uri, 0..written.size).await;
    let data = data.map_err(|cause| Failure::Store { store: name.clone(), cause })?;
    let body = Body::from_stream(data);
    let (source, facts): Running = intake(body, quota::bounds(app, u64::MAX), None, digests);
    let read = source.try_for_each(async |piece| {
        copied.add(piece.len());
        Ok(())
    });
    read.await.map_err(ended_early)?;
    let facts = facts.await.map_err(|_| Failure::Panicked)?;
    match &image.hashes {
        Some(known) if known.value != facts.hashes.value => Err(Failure::Corrupt),
        _ => Ok(()),
    }
}
