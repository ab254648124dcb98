//! So many stores at once as the operator allows (`max_parallel_stores`): the first ones get the
//! bytes from their source, the others from the first store that has them. A source is never read
//! twice.

use axum::body::Body;

use super::failure::Failure;
use super::order::Order;
use super::pipe::{Running, Written, intake, pipe, remove};
use super::pulse::Copied;
use super::spread::Target;
use crate::app::App;
use crate::digest::Digests;
use crate::quota;

/// Writes a source into all of these stores. On an error nothing is left in any.
pub(super) async fn write(
    app: &App,
    order: &Order,
    targets: &[Target],
    source: Running,
    length: Option<u64>,
    copied: Copied,
) -> Result<Written, Failure> {
    let at_once = app.imports.settings.stores_at_once.unwrap_or(targets.len()).max(1);
    let (first, others) = targets.split_at(at_once.min(targets.len()));
    let mut written = pipe(app, order, first, source, length, copied.clone()).await?;
    for group in others.chunks(at_once) {
        match again(app, order, group, &written, copied.clone()).await {
            Ok(more) => {
                written.locations.extend(more.locations);
                written.failed.extend(more.failed);
            }
            Err(why) if order.all_must_succeed => {
                remove(app, order.image, &written.locations).await;
                return Err(why);
            }
            Err(why) => {
                tracing::warn!(image = %order.image, %why, "stores were not reached");
                let names = group.iter().map(|(name, _)| name.clone());
                written.failed.extend(names.filter(|_| app.stores.are_named()));
            }
        }
    }
    Ok(written)
}

/// Writes what is written already into more stores.
async fn again(
    app: &App,
    order: &Order,
    group: &[Target],
    written: &Written,
    copied: Copied,
) -> Result<Written, Failure> {
    let first = written.locations.first().ok_or(Failure::NoSource)?;
    let failed = |cause| Failure::Store { store: first.store.clone().unwrap_or_default(), cause };
    let data = app.stores.holding(first)?.open(&first.uri, 0..written.size).await;
    let body = Body::from_stream(data.map_err(failed)?);
    // No signature is verified twice: that these are the same bytes is what the digests say.
    let digests = Digests::start(&written.facts.hashes.algorithm);
    let digests = digests.map_err(|error| Failure::Data(error.to_string()))?;
    let source = intake(body, quota::bounds(app, u64::MAX), None, digests);
    let more = pipe(app, order, group, source, Some(written.size), copied).await?;
    if more.facts.hashes.value == written.facts.hashes.value {
        return Ok(more);
    }
    remove(app, order.image, &more.locations).await;
    Err(Failure::Corrupt)
}
