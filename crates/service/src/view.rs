//! Records as the Image API shows them.

use image::{Image, Member, Status};
use serde_json::{Map, Value, json};

/// The namespace of properties that the service keeps for itself.
const HIDDEN_PREFIX: &str = "os_glance";

/// An image, with its custom properties beside its own.
pub(crate) fn image(image: &Image) -> Value {
    let url = format!("/v2/images/{}", image.id);
    let mut shown = Map::new();
    for (name, value) in &image.properties {
        if !name.starts_with(HIDDEN_PREFIX) {
            shown.insert(name.clone(), value.as_str().into());
        }
    }
    let hashes = image.hashes.as_ref();
    let base = [
        ("id", json!(image.id)),
        ("name", json!(image.name)),
        ("status", json!(image.status)),
        ("visibility", json!(image.visibility)),
        ("owner", json!(image.owner)),
        ("disk_format", json!(image.disk_format)),
        ("container_format", json!(image.container_format)),
        ("size", json!(image.size)),
        ("virtual_size", json!(image.virtual_size)),
        ("checksum", json!(hashes.map(|h| &h.checksum))),
        ("os_hash_algo", json!(hashes.map(|h| &h.algorithm))),
        ("os_hash_value", json!(hashes.map(|h| &h.value))),
        ("min_disk", json!(image.min_disk)),
        ("min_ram", json!(image.min_ram)),
        ("protected", json!(image.protected)),
        ("os_hidden", json!(image.os_hidden)),
        ("created_at", json!(image.created_at)),
        ("updated_at", json!(image.updated_at)),
        ("tags", json!(image.tags)),
        ("file", json!(format!("{url}/file"))),
        ("self", json!(url)),
        ("schema", json!("/v2/schemas/image")),
    ];
    shown.extend(base.map(|(name, value)| (name.to_owned(), value)));
    if let Some(stores) = stores(image) {
        shown.insert("stores".to_owned(), stores.into());
    }
    Value::Object(shown)
}

/// The stores that hold the image, as a list with commas. Not told of an image that is closed, as
/// in Glance.
fn stores(image: &Image) -> Option<String> {
    if image.status == Status::Deactivated {
        return None;
    }
    let names: Vec<_> = image.locations.iter().filter_map(|l| l.store.as_deref()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// A project that an image is shared with.
pub(crate) fn member(member: &Member) -> Value {
    json!({
        "member_id": member.project,
        "image_id": member.image_id,
        "status": member.status,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
        "schema": "/v2/schemas/member",
    })
}
