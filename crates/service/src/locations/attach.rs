//! `POST /v2/images/{id}/locations`: an image whose bytes lie elsewhere. The answer comes before
//! the bytes are looked at, which is a task's work; what becomes of it is seen at both.

use catalog::{Stored, Viewer};
use futures::StreamExt;
use identity::Caller;
use image::{DataHashes, Event, Image, ImageId, Location, Status, without_credentials};
use serde_json::{Value, json};

use super::{check, quota, validation};
use crate::app::App;
use crate::digest::Digests;
use crate::error::{ApiError, Result};
use crate::reading::{self, Origin};
use crate::{imports, notices};

/// The scheme whose locations users may add; others are for services.
const HTTP: &str = "http";

/// What a client wants to attach.
#[derive(Debug, PartialEq)]
pub(crate) struct Attachment {
    pub(crate) url: String,
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

    /// The claim as the body of the request has it; empty without one, as in Glance.
    pub(crate) fn validation_data(&self) -> Value {
        self.claim.as_ref().map_or(
            json!({}),
            |(algorithm, value)| json!({ "os_hash_algo": algorithm, "os_hash_value": value }),
        )
    }
}

/// Checks what can be checked at once, and leaves the rest to a task.
pub(crate) async fn attach(
    app: &App,
    caller: &Caller,
    image: &Image,
    attachment: &Attachment,
    request_id: Option<String>,
) -> Result<()> {
    if image.status != Status::Queued {
        return Err(ApiError::conflict(format!(
            "It's not allowed to add locations if image status is {}.",
            image.status
        )));
    }
    let location = app.stores.found(&attachment.url);
    let store = app.stores.holding(&location);
    let is_http = store.as_ref().is_ok_and(|store| store.kind() == HTTP);
    if !caller.has_role("service") && !is_http {
        let message = "http store must be enabled to use location API by normal user.";
        return Err(ApiError::forbidden(message));
    }
    // A service that is told at once sends the bytes instead.
    let admitted = match store {
        Ok(store) => store.admit(image.id, &location.uri).await.map_err(|error| error.to_string()),
        Err(unknown) => Err(unknown.to_string()),
    };
    admitted.map_err(|why| {
        tracing::info!(%why, "a location is refused");
        let url = without_credentials(&attachment.url);
        ApiError::bad_request(format!("URI for add location does not pass filtering: {url}"))
    })?;
    imports::start_attachment(app, caller, image, attachment, request_id).await
}

/// Gives the image its bytes. One that has them, from an attempt that was interrupted, keeps them.
pub(crate) async fn proceed(app: &App, id: ImageId, attachment: Attachment) -> Result<()> {
    let Attachment { url, claim } = attachment;
    let location = app.stores.found(&url);
    let image = app.settled(app.catalog.get(&Viewer::service(), id).await?);
    if image.status == Status::Active && image.locations == [location.clone()] {
        return complete(app, &image).await;
    }
    quota::expect_place(app, 1)?;
    let size = check(app, id, &location).await?;
    quota::expect_room(app, image.owner.as_deref(), size, None).await?;
    match claim {
        Some(claim) if app.locations.secure_hash => verify(app, image, location, size, claim).await,
        Some((algorithm, value)) => {
            let hashes = Some(DataHashes { checksum: None, algorithm, value });
            activate(app, id, location, size, hashes).await.map(drop)
        }
        None => complete(app, &activate(app, id, location, size, None).await?).await,
    }
}

async fn activate(
    app: &App,
    id: ImageId,
    location: Location,
    size: u64,
    hashes: Option<DataHashes>,
) -> Result<Image> {
    let stored = Stored { location, size, virtual_size: None, hashes, upload: None };
    let image = app.catalog.activate(id, &stored).await?;
    app.notifier.info("image.update", || notices::image(&image));
    Ok(app.settled(image))
}

/// Finds the hashes out that an active image lacks, where they are wanted.
async fn complete(app: &App, image: &Image) -> Result<()> {
    if !app.locations.secure_hash || image.hashes.is_some() {
        return Ok(());
    }
    let hashes = digest(app, image, &app.limits.hash_algorithm).await?;
    app.catalog.set_hashes(image.id, &hashes).await?;
    notices::changed(app, image.id).await;
    Ok(())
}

/// The image turns active only when its bytes are what they are claimed to be. Meanwhile it is
/// `saving`, so that the start after a crash queues it again.
async fn verify(
    app: &App,
    image: Image,
    location: Location,
    size: u64,
    (algorithm, expected): (String, String),
) -> Result<()> {
    let id = image.id;
    app.catalog.transition(id, Event::BeginUpload).await?;
    notices::changed(app, id).await;
    let image = Image { locations: vec![location.clone()], size: Some(size), ..image };
    let refused = match digest(app, &image, &algorithm).await {
        Ok(hashes) if hashes.value.eq_ignore_ascii_case(&expected) => {
            match activate(app, id, location.clone(), size, Some(hashes)).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            }
        }
        Ok(hashes) => ApiError::bad_request(format!(
            "os_hash_value: ({expected}) not matched with actual os_hash_value: ({})",
            hashes.value
        )),
        Err(error) => error,
    };
    refuse(app, id, &location).await?;
    notices::changed(app, id).await;
    Err(refused)
}

/// Queues an image again whose verification did not come to its end.
pub(crate) async fn abandon(app: &App, id: ImageId) -> Result<()> {
    match app.catalog.status_of(id).await? {
        Some(Status::Saving) => Ok(app.catalog.transition(id, Event::Abandon).await.map(drop)?),
        _ => Ok(()),
    }
}

/// Bytes that nobody here could delete stay visible as a location of the queued image, as in
/// Glance; the next bytes that come replace it.
async fn refuse(app: &App, id: ImageId, location: &Location) -> Result<()> {
    match app.stores.holding(location) {
        Ok(store) if store.kind() == HTTP => Ok(app.catalog.refuse(id, location).await?),
        _ => abandon(app, id).await,
    }
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
