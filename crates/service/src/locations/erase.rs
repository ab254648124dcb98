//! Taking bytes away: from one place of several, or from all.

use std::collections::HashSet;
use std::sync::Arc;

use catalog::Removal;
use image::{Image, ImageId, Location};
use store::{Enabled, Store};

use crate::app::App;
use crate::error::Result;
use crate::imports;
use crate::leftovers::Losing;
use crate::outlasting::to_its_end;

/// Takes one of several locations from an image, and the bytes from there. The record goes first:
/// of two who take different ones, the catalog lets only one go on; what it loses is noted with that,
/// so that bytes are found that a crash leaves. When the store keeps the bytes, the record comes back.
/// Where deletions are put off, the bytes stay until the image's own go, as in Glance. Comes to its
/// end, whatever becomes of who asks for it.
pub(crate) async fn detach(app: &Arc<App>, image: &Image, location: &Location) -> Result<Image> {
    let (app, id, location) = (app.clone(), image.id, location.clone());
    let detached = async move {
        let after = match app.rules.deletion.delayed {
            true => app.catalog.remove_location(id, &location, &Removal::Later).await?,
            false => take(&app, id, &location).await?,
        };
        Ok(app.settled(after))
    };
    to_its_end(detached).await
}

async fn take(app: &App, id: ImageId, location: &Location) -> Result<Image> {
    let Some(holder) = app.stores.find(location) else {
        let after = app.catalog.remove_location(id, location, &Removal::Now(None)).await?;
        tracing::warn!(image = %id, "the bytes stay: their store is not enabled");
        return Ok(after);
    };
    let losing = losing(app, id, [location]);
    let removal = Removal::Now(losing.left.first().cloned());
    let after = app.catalog.remove_location(id, location, &removal).await?;
    match holder.store.delete(&location.uri).await {
        Ok(()) | Err(store::Error::NotFound(_) | store::Error::ReadOnly(_)) => {
            losing.end(&HashSet::new()).await;
            Ok(after)
        }
        Err(error) => {
            put_back(app, id, location, (holder, losing)).await?;
            Err(error.into())
        }
    }
}

/// Gives a record back what its store keeps, if nobody removes it as a leftover meanwhile.
async fn put_back(
    app: &App,
    id: ImageId,
    location: &Location,
    (holder, losing): (&Enabled, Losing),
) -> Result<()> {
    let back = async {
        if let Err(store::Error::NotFound(_)) = holder.store.size(&location.uri).await {
            return Ok(());
        }
        app.catalog.add_location(id, location).await?;
        losing.end(&HashSet::new()).await;
        Ok(())
    };
    match imports::alone(app, id, back).await? {
        Some(done) => done,
        None => {
            tracing::warn!(image = %id, "a location stays removed: the image is being worked on");
            Ok(())
        }
    }
}

/// What an image loses with locations, of what can be removed later too.
fn losing<'a>(app: &App, id: ImageId, locations: impl IntoIterator<Item = &'a Location>) -> Losing {
    let holders = locations.into_iter().filter_map(|location| app.stores.find(location));
    let removes = |store: &dyn Store| {
        let abilities = store.abilities();
        abilities.writable && !abilities.needs_caller
    };
    let holders = holders.filter(|holder| removes(holder.store.as_ref()));
    app.leftovers.losing(id, holders.map(|holder| holder.name.as_str()))
}

/// Looks whether the bytes of an image can be taken away. Errors: a store says that they are in use.
/// What else is wrong with a store does not keep an image from being deleted.
pub(crate) async fn expect_deletable(app: &App, image: &Image) -> store::Result<()> {
    for location in &image.locations {
        let Ok(store) = app.stores.holding(location) else { continue };
        match store.expect_deletable(&location.uri).await {
            Err(used @ store::Error::InUse { .. }) => return Err(used),
            Err(error) => tracing::debug!(image = %image.id, %error, "nothing is known before"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Deletes an image, and its bytes: the latest location first, for it may be a clone of an earlier one.
/// What can't be taken away now, for its store is away or refuses it, or somebody uses it, is removed
/// later, where it is at the image's own place; so is what is not taken away because this service dies.
pub(crate) async fn delete(app: &App, image: &Image) -> Result<()> {
    let losing = losing(app, image.id, &image.locations);
    let locations = app.catalog.delete(image.id, &losing.left).await?;
    let mut kept = HashSet::new();
    for location in locations.iter().rev() {
        let Some(holder) = app.stores.find(location) else {
            tracing::warn!(image = %image.id, uri = location.scheme(), "its store is not enabled");
            continue;
        };
        match holder.store.delete(&location.uri).await {
            Ok(()) | Err(store::Error::ReadOnly(_)) => {}
            Err(error) => {
                tracing::warn!(image = %image.id, %error, "image data stays for now");
                if !matches!(error, store::Error::NotFound(_) | store::Error::BadLocation(_)) {
                    app.leftovers.note(image.id, &holder.name).await;
                    kept.insert(holder.name.as_str());
                }
            }
        }
    }
    losing.end(&kept).await;
    Ok(())
}
