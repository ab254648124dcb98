//! Telling stores who may read an image's bytes, where their servers decide that by themselves.

use catalog::Viewer;
use image::{Image, ImageId, Visibility};
use store::{Readers, Store};

use crate::app::App;
use crate::error::Result;

/// Tells the stores that hold an image. Errors: those of a store that is not told.
pub(crate) async fn share(app: &App, image: &Image) -> Result<()> {
    let holders = image.locations.iter().filter_map(|location| {
        let store = app.stores.holding(location).ok()?;
        Some((store.as_ref(), location.uri.as_str()))
    });
    let places: Vec<_> = holders.filter(|(store, _)| shares(*store)).collect();
    if places.is_empty() {
        return Ok(());
    }
    let mut readers = readers(app, image).await?;
    loop {
        tell(image.id, &places, &readers).await?;
        // Who has changed them meanwhile may have told of it before.
        match now(app, image.id).await? {
            Some(now) if now != readers => readers = now,
            _ => return Ok(()),
        }
    }
}

/// All stores are told, whatever one of them says.
async fn tell(id: ImageId, places: &[(&dyn Store, &str)], readers: &Readers) -> Result<()> {
    let mut told = Ok(());
    for (store, uri) in places {
        match store.share(uri, readers).await {
            Err(store::Error::NotFound(place)) => {
                tracing::warn!(image = %id, %place, "there is nothing to be shared");
            }
            shared => told = told.and(shared),
        }
    }
    Ok(told?)
}

/// Who may read the image now; nobody is to be told of one that is gone.
async fn now(app: &App, id: ImageId) -> Result<Option<Readers>> {
    match app.catalog.get(&Viewer::service(), id).await {
        Ok(image) => readers(app, &image).await.map(Some),
        Err(catalog::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same for bytes that have just come. They are the image's, whoever may read them.
pub(crate) async fn announce(app: &App, id: ImageId) {
    if !app.stores.iter().any(|(_, store)| shares(store.as_ref())) {
        return;
    }
    let shared = async {
        let image = app.catalog.get(&Viewer::service(), id).await?;
        share(app, &image).await
    };
    if let Err(error) = shared.await {
        tracing::error!(image = %id, why = error.message, "its members can't read an image");
    }
}

fn shares(store: &dyn Store) -> bool {
    store.abilities().shares
}

/// As Glance has it: a member may read an image before it has taken it.
async fn readers(app: &App, image: &Image) -> Result<Readers> {
    Ok(match image.visibility {
        Visibility::Public | Visibility::Community => Readers::Everybody,
        Visibility::Private => Readers::Projects(Vec::new()),
        Visibility::Shared => {
            let members = app.catalog.members(image.id).await?;
            Readers::Projects(members.into_iter().map(|member| member.project).collect())
        }
    })
}
