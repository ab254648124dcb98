//! The straight way of an import's bytes: from their source, past the digests and the inspection,
//! into every store at once.

use axum::body::Body;
use futures::{StreamExt, future};
use image::ImageId;
use tokio::sync::oneshot;

use super::failure::{Failure, ended_early};
use super::order::Order;
use super::pulse::Copied;
use super::spread::{Rule, Spread, Target, spread};
use crate::app::App;
use crate::digest::Digests;
use crate::intake::{Bounds, Facts, Intake};
use crate::leftovers::{self, after_put};

/// A source that is digested and inspected as it passes.
pub(super) type Running = (store::Source, oneshot::Receiver<Facts>);

/// The source that a body is.
pub(super) fn intake(
    body: Body,
    bounds: Bounds,
    inspector: Option<disk::Inspector>,
    digests: Digests,
) -> Running {
    Intake::start(body, bounds, inspector, digests)
}

/// What was written, and is durable.
pub(super) struct Written {
    pub(super) locations: Vec<image::Location>,
    pub(super) failed: Vec<String>,
    pub(super) size: u64,
    pub(super) facts: Facts,
}

/// The straight way of the bytes, into every store at once. On an error nothing is left in any.
pub(super) async fn pipe(
    app: &App,
    order: &Order,
    targets: &[Target],
    (source, facts): Running,
    length: Option<u64>,
    copied: Copied,
) -> Result<Written, Failure> {
    let counting = copied.clone();
    let counted = source.inspect(move |piece| {
        if let Ok(piece) = piece {
            counting.add(piece.len());
        }
    });
    let counted = copied.guarded(counted.boxed());
    let rule = if order.all_must_succeed { Rule::AllOrNone } else { Rule::AsManyAsCan };
    let spread = match spread(order.image, length, counted, targets, rule).await {
        Ok(spread) => spread,
        Err(why) => {
            clear(app, order.image, targets).await;
            return Err(ended_early(why));
        }
    };
    let Spread { written, mut failed } = spread;
    let after = failed.iter().map(|(store, error)| after_put(app, order.image, store, error));
    future::join_all(after).await;
    let locations: Vec<_> = written
        .iter()
        .map(|(name, written)| app.stores.location(name, written.uri.clone()))
        .collect();
    if !failed.is_empty() && (order.all_must_succeed || written.is_empty()) {
        remove(app, order.image, &locations).await;
        let (store, cause) = failed.swap_remove(0);
        return Err(Failure::Store { store, cause });
    }
    let facts = match facts.await {
        Ok(facts) => facts,
        Err(_) => {
            remove(app, order.image, &locations).await;
            return Err(Failure::Panicked);
        }
    };
    for (store, error) in &failed {
        tracing::warn!(image = %order.image, store, %error, "a store was not reached");
    }
    Ok(Written {
        locations,
        failed: failed
            .into_iter()
            .map(|(name, _)| name)
            .filter(|_| app.stores.are_named())
            .collect(),
        size: written.first().map_or(0, |(_, written)| written.size),
        facts,
    })
}

/// Removes what puts may have left, in all of these stores at the same time.
pub(super) async fn clear(app: &App, image: ImageId, targets: &[Target]) {
    let cleared = targets.iter().map(|(store, _)| leftovers::clear(app, image, store));
    future::join_all(cleared).await;
}

/// Removes what was written. What can't be removed now is noted.
pub(super) async fn remove(app: &App, image: ImageId, locations: &[image::Location]) {
    for location in locations {
        let Some(holder) = app.stores.find(location) else { continue };
        match holder.store.delete(&location.uri).await {
            Ok(()) | Err(store::Error::NotFound(_)) => {}
            Err(error) => {
                tracing::warn!(%image, store = holder.name, %error, "image data stays for now");
                app.leftovers.note(image, &holder.name).await;
            }
        }
    }
}
