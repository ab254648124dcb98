//! `POST /v2/images/{id}/locations`: an image whose bytes lie elsewhere. The answer comes before
//! the bytes are looked at; what becomes of it is seen at the image.

use std::sync::Arc;

use catalog::Stored;
use futures::StreamExt;
use identity::Caller;
use image::{DataHashes, Event, Image, Location, Status};
use serde_json::Value;

use super::{check, validation};
use crate::app::App;
use crate::digest::Digests;
use crate::error::{ApiError, Result};
use crate::reading::{self, Origin};

/// The scheme whose locations users may add; others are for services.
const HTTP: &str = "http";

/// What a client wants to attach.
pub(crate) struct Attachment {
    url: String,
    /// The algorithm of a digest, and the digest.
    claim: Option<(String, String)>,
}

impl Attachment {
    /// Reads the body of the request.
    pub(crate) fn parse(body: &Value) -> Result<Self> {
        let mismatch = |why: String| {
            let message = format!("Provided object does not match schema 'location': {why}.");
            ApiError::bad_request(message)
        };
        let fields = body.as_object().ok_or_else(|| mismatch(format!("{body} is no object")))?;
        let url =
            fields.get("url").ok_or_else(|| mismatch("'url' is a required property".into()))?;
        let url = url.as_str().ok_or_else(|| mismatch(format!("{url} is not of type 'string'")))?;
        Ok(Self { url: url.to_owned(), claim: validation::claimed(fields)? })
    }
}

/// Checks what can be checked at once, and begins the rest.
pub(crate) async fn attach(
    app: &Arc<App>,
    caller: &Caller,
    image: &Image,
    attachment: Attachment,
) -> Result<()> {
    if image.status != Status::Queued {
        return Err(ApiError::conflict(format!(
            "It's not allowed to add locations if image status is {}.",
            image.status
        )));
    }
    let location = app.stores.found(&attachment.url);
    let is_http = app.stores.holding(&location).is_ok_and(|store| store.kind() == HTTP);
    if !caller.has_role("service") && !is_http {
        let message = "http store must be enabled to use location API by normal user.";
        return Err(ApiError::forbidden(message));
    }
    if is_http {
        let store = app.stores.holding(&location)?;
        store.admit(&location.uri).await.map_err(|error| {
            tracing::info!(%error, "a location is refused");
            let url = &attachment.url;
            ApiError::bad_request(format!("URI for add location does not pass filtering: {url}"))
        })?;
    }
    let (id, claim, service) = (image.id, attachment.claim, app.clone());
    app.background.spawn(async move {
        if let Err(error) = proceed(&service, id, location, claim).await {
            tracing::warn!(image = %id, why = %error.message, "a location is not attached");
        }
    })
}

async fn proceed(
    app: &App,
    id: image::ImageId,
    location: Location,
    claim: Option<(String, String)>,
) -> Result<()> {
    let size = check(app, &location).await?;
    match claim {
        Some(claim) if app.locations.secure_hash => verify(app, id, location, size, claim).await,
        Some((algorithm, value)) => {
            let hashes = Some(DataHashes { checksum: None, algorithm, value });
            activate(app, id, location, size, hashes).await.map(drop)
        }
        None => {
            let image = activate(app, id, location, size, None).await?;
            if app.locations.secure_hash {
                let hashes = digest(app, &image, &app.limits.hash_algorithm).await?;
                app.catalog.set_hashes(id, &hashes).await?;
            }
            Ok(())
        }
    }
}

async fn activate(
    app: &App,
    id: image::ImageId,
    location: Location,
    size: u64,
    hashes: Option<DataHashes>,
) -> Result<Image> {
    let stored = Stored { location, size, virtual_size: None, hashes };
    Ok(app.settled(app.catalog.activate(id, &stored).await?))
}

/// The image turns active only when its bytes are what they are claimed to be. Meanwhile it is
/// `saving`, so that the start after a crash queues it again.
async fn verify(
    app: &App,
    id: image::ImageId,
    location: Location,
    size: u64,
    (algorithm, expected): (String, String),
) -> Result<()> {
    app.catalog.transition(id, Event::BeginUpload).await?;
    let image = app.catalog.get(&catalog::Viewer::service(), id).await?;
    let image = Image { locations: vec![location.clone()], size: Some(size), ..image };
    let verified = match digest(app, &image, &algorithm).await {
        Ok(hashes) if hashes.value.eq_ignore_ascii_case(&expected) => {
            activate(app, id, location, size, Some(hashes)).await.map(drop)
        }
        Ok(hashes) => Err(ApiError::bad_request(format!(
            "os_hash_value: ({expected}) not matched with actual os_hash_value: ({})",
            hashes.value
        ))),
        Err(error) => Err(error),
    };
    if verified.is_err() {
        app.catalog.transition(id, Event::Abandon).await?;
    }
    verified
}

/// The digests of the image's bytes, tried as often as is configured.
async fn digest(app: &App, image: &Image, algorithm: &str) -> Result<DataHashes> {
    let mut tried = 1;
    loop {
        match digest_once(app, image, algorithm).await {
            Err(error) if tried < app.locations.tries => {
                tracing::info!(image = %image.id, why = %error.message, tried, "reading again");
                tried += 1;
            }
            done => return done,
        }
    }
}

async fn digest_once(app: &App, image: &Image, algorithm: &str) -> Result<DataHashes> {
    let digests = Digests::start(algorithm).map_err(|error| ApiError::internal(&error))?;
    let size = reading::size(app, image).await?;
    let mut data = Origin::of(image, &app.stores).open(0..size).await?;
    while let Some(piece) = data.next().await {
        digests.update(&piece?).await;
    }
    digests.finish().await.map_err(|error| ApiError::internal(&error))
}
