//! What notifications say of images, members, tasks and metadata definitions, as Glance's do. Locations are never told: they
//! may hold credentials.

pub(crate) mod metadefs;
pub(crate) mod tasks;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use catalog::Viewer;
use futures::Stream;
use identity::Caller;
use image::{Image, ImageId, Member, Status, Timestamp, Visibility};
use notify::Notifier;
use serde_json::{Value, json};
use store::Data;

use crate::app::App;
use crate::error::ApiError;

/// An image. Source: `format_image_notification` of Glance.
pub(crate) fn image(image: &Image) -> Value {
    json!({
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "created_at": image.created_at,
        "updated_at": image.updated_at,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "protected": image.protected,
        "checksum": image.hashes.as_ref().map(|hashes| &hashes.checksum),
        "owner": image.owner,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "size": image.size,
        "virtual_size": image.virtual_size,
        "is_public": image.visibility == Visibility::Public,
        "visibility": image.visibility,
        "properties": image.properties,
        "tags": image.tags,
        "deleted": false,
        "deleted_at": null,
    })
}

/// An image whose bytes begin to come, into this store.
pub(crate) fn preparing(image: &Image, store: &str) -> Value {
    with(uploaded(image), json!({ "backend": store }))
}

/// An image whose bytes have come. The lists of stores are those of imports.
pub(crate) fn uploaded(image: &Image) -> Value {
    let stores = |name: &str| -> Vec<&str> {
        let names = image.properties.get(name).map(String::as_str).unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).collect()
    };
    let [importing, failed] = ["os_glance_importing_to_stores", "os_glance_failed_import"];
    with(self::image(image), json!({ importing: stores(importing), failed: stores(failed) }))
}

/// An image that was deleted: `status` says whether its bytes are gone, too.
pub(crate) fn deleted(image: &Image, status: Status) -> Value {
    let gone = json!({ "status": status });
    with(self::image(image), with(gone, removed()))
}

/// A project that an image is shared with. Source: `format_image_member_notification` of Glance.
pub(crate) fn member(member: &Member) -> Value {
    json!({
        "image_id": member.image_id,
        "member_id": member.project,
        "status": member.status,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
        "deleted": false,
        "deleted_at": null,
    })
}

/// A project that an image is not shared with any more.
pub(crate) fn member_removed(member: &Member) -> Value {
    with(self::member(member), removed())
}

/// Tells of an image that has changed, as it is now.
pub(crate) async fn changed(app: &App, id: ImageId) {
    if app.notifier.is_on()
        && let Ok(image) = app.catalog.get(&Viewer::service(), id).await
    {
        app.notifier.info("image.update", || self::image(&image));
    }
}

/// Bytes that did not become an image's.
pub(crate) fn upload_failed(id: ImageId, why: &ApiError) -> Value {
    let message = &why.message;
    json!(format!("Failed to upload image data for image {id} due to internal error: {message}"))
}

fn removed() -> Value {
    json!({ "deleted": true, "deleted_at": Timestamp::now() })
}

/// The payload, with these fields in it.
fn with(mut payload: Value, fields: Value) -> Value {
    if let (Value::Object(payload), Value::Object(fields)) = (&mut payload, fields) {
        payload.extend(fields);
    }
    payload
}

/// Tells, when the bytes were sent or the receiver has left, how many went out: `image.send`.
pub(crate) fn sending(
    notifier: &Notifier,
    image: &Image,
    caller: &Caller,
    expected: u64,
    data: Data,
) -> Data {
    if !notifier.is_on() {
        return data;
    }
    let about = json!({
        "image_id": image.id,
        "owner_id": image.owner,
        "receiver_tenant_id": caller.project_id,
        "receiver_user_id": caller.user_id,
    });
    Box::pin(Sending { notifier: notifier.clone(), about, expected, sent: 0, data })
}

struct Sending {
    notifier: Notifier,
    about: Value,
    expected: u64,
    sent: u64,
    data: Data,
}

impl Stream for Sending {
    type Item = store::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(self.data.as_mut().poll_next(context));
        if let Some(Ok(piece)) = &piece {
            self.sent += piece.len() as u64;
        }
        Poll::Ready(piece)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let payload = || with(self.about.take(), json!({ "bytes_sent": self.sent }));
        let complete = self.sent == self.expected;
        let notifier = self.notifier.clone();
        match complete {
            true => notifier.info("image.send", payload),
            false => notifier.error("image.send", payload),
        }
    }
}
