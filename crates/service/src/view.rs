//! Records as the Image API shows them. They are written straight into the answer's body, for lists
//! hold a thousand.

use image::{Image, Member, Status};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

/// The namespace of properties that the service keeps for itself.
const HIDDEN_PREFIX: &str = "os_glance";

/// The names that an image shows of its own; a custom property can't take their place.
const BASE: &[&str] = &[
    "id",
    "name",
    "status",
    "visibility",
    "owner",
    "disk_format",
    "container_format",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "min_disk",
    "min_ram",
    "protected",
    "os_hidden",
    "created_at",
    "updated_at",
    "tags",
    "file",
    "self",
    "schema",
    "stores",
];

/// An image, with its custom properties beside its own.
pub(crate) fn image(image: &Image) -> impl Serialize + '_ {
    Shown(image)
}

struct Shown<'a>(&'a Image);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(image) = self;
        let hashes = image.hashes.as_ref();
        let mut shown = serializer.serialize_map(None)?;
        for (name, value) in custom(image) {
            shown.serialize_entry(name, value)?;
        }
        shown.serialize_entry("id", &image.id)?;
        shown.serialize_entry("name", &image.name)?;
        shown.serialize_entry("status", &image.status)?;
        shown.serialize_entry("visibility", &image.visibility)?;
        shown.serialize_entry("owner", &image.owner)?;
        shown.serialize_entry("disk_format", &image.disk_format)?;
        shown.serialize_entry("container_format", &image.container_format)?;
        shown.serialize_entry("size", &image.size)?;
        shown.serialize_entry("virtual_size", &image.virtual_size)?;
        shown.serialize_entry("checksum", &hashes.and_then(|hashes| hashes.checksum.as_ref()))?;
        shown.serialize_entry("os_hash_algo", &hashes.map(|hashes| &hashes.algorithm))?;
        shown.serialize_entry("os_hash_value", &hashes.map(|hashes| &hashes.value))?;
        shown.serialize_entry("min_disk", &image.min_disk)?;
        shown.serialize_entry("min_ram", &image.min_ram)?;
        shown.serialize_entry("protected", &image.protected)?;
        shown.serialize_entry("os_hidden", &image.os_hidden)?;
        shown.serialize_entry("created_at", &image.created_at)?;
        shown.serialize_entry("updated_at", &image.updated_at)?;
        shown.serialize_entry("tags", &image.tags)?;
        shown.serialize_entry("file", &format_args!("/v2/images/{}/file", image.id))?;
        shown.serialize_entry("self", &format_args!("/v2/images/{}", image.id))?;
        shown.serialize_entry("schema", "/v2/schemas/image")?;
        if let Some(stores) = stores(image) {
            shown.serialize_entry("stores", &stores)?;
        }
        shown.end()
    }
}

fn custom(image: &Image) -> impl Iterator<Item = (&String, &String)> {
    let shown = |name: &str| !name.starts_with(HIDDEN_PREFIX) && !BASE.contains(&name);
    image.properties.iter().filter(move |(name, _)| shown(name))
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

#[cfg(test)]
mod tests {
    use image::{ImageId, Location, Timestamp};

    use super::*;

    #[test]
    fn every_name_is_shown_once_whatever_the_properties_are_called() {
        let mut image = Image::new(ImageId::random(), None, Timestamp::now());
        image.locations.push(Location::new("file:///x", Some("file")));
        let plain = serde_json::to_value(Shown(&image)).unwrap();
        let mut names: Vec<_> = plain.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable_by_key(|name| BASE.iter().position(|base| base == name));
        assert_eq!(names, BASE);

        image.properties.extend(BASE.iter().map(|name| ((*name).to_owned(), "other".to_owned())));
        image.properties.insert("os_glance_stage_host".into(), "hidden".into());
        assert_eq!(serde_json::to_string(&Shown(&image)).unwrap().matches("other").count(), 0);
        assert_eq!(serde_json::to_value(Shown(&image)).unwrap(), plain);
    }
}
