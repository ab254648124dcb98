//! Records as the Image API shows them. They are written straight into the answer's body, for lists
//! hold a thousand.

use image::{Image, Location, Member, Status};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

/// Properties that say where a service is, which is nobody else's to know. Source:
/// `ResponseSerializer._hidden_properties` of Glance.
const HIDDEN: &[&str] = &["os_glance_stage_host", "os_glance_hash_op_host"];

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
    "locations",
    "direct_url",
    "stores",
];

/// What of an image's locations is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Showing {
    /// The names of their stores.
    pub(crate) stores: bool,
    /// All of them.
    pub(crate) locations: bool,
    /// The one that is read first.
    pub(crate) direct_url: bool,
    /// Also those of an image that is closed: administrators see them, as in Glance.
    pub(crate) closed_too: bool,
}

/// An image, with its custom properties beside its own.
pub(crate) fn image(image: &Image, showing: Showing) -> impl Serialize + '_ {
    Shown { image, showing }
}

struct Shown<'a> {
    image: &'a Image,
    showing: Showing,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { image, showing } = self;
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
        let hidden = image.status == Status::Deactivated && !showing.closed_too;
        let locations = if hidden { &[] } else { image.locations.as_slice() };
        if showing.locations {
            let all: Vec<_> = locations.iter().map(location).collect();
            shown.serialize_entry("locations", &all)?;
        }
        if let Some(first) = locations.first().filter(|_| showing.direct_url) {
            shown.serialize_entry("direct_url", &first.shown_uri())?;
        }
        if let Some(stores) = stores(locations).filter(|_| showing.stores) {
            shown.serialize_entry("stores", &stores)?;
        }
        shown.end()
    }
}

fn custom(image: &Image) -> impl Iterator<Item = (&String, &String)> {
    let shown = |name: &str| !HIDDEN.contains(&name) && !BASE.contains(&name);
    image.properties.iter().filter(move |(name, _)| shown(name))
}

/// The stores that hold an image, as a list with commas.
fn stores(locations: &[Location]) -> Option<String> {
    let names: Vec<_> = locations.iter().filter_map(|l| l.store.as_deref()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// A place where an image's bytes are.
pub(crate) fn location(location: &Location) -> Value {
    json!({ "url": location.shown_uri(), "metadata": location.description() })
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
        let everything =
            Showing { stores: true, locations: true, direct_url: true, closed_too: true };
        let value = |of: &Image| serde_json::to_value(super::image(of, everything)).unwrap();
        let plain = value(&image);
        let mut names: Vec<_> = plain.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable_by_key(|name| BASE.iter().position(|base| base == name));
        assert_eq!(names, BASE);

        image.properties.extend(BASE.iter().map(|name| ((*name).to_owned(), "other".to_owned())));
        image.properties.insert("os_glance_stage_host".into(), "hidden".into());
        let text = serde_json::to_string(&super::image(&image, everything)).unwrap();
        assert_eq!(text.matches("other").count(), 0);
        assert_eq!(value(&image), plain);
    }

    #[test]
    fn a_closed_image_hides_where_it_is_from_those_who_may_not_open_it() {
        let mut image = Image::new(ImageId::random(), None, Timestamp::now());
        image.status = Status::Deactivated;
        image.locations.push(Location::new("file:///x", Some("file")));
        let shown = Showing { stores: true, locations: true, direct_url: true, closed_too: false };
        let value = serde_json::to_value(super::image(&image, shown)).unwrap();
        assert_eq!(value["locations"], json!([]));
        assert!(value.get("direct_url").is_none() && value.get("stores").is_none());
        let shown = Showing { closed_too: true, ..shown };
        let value = serde_json::to_value(super::image(&image, shown)).unwrap();
        let location = json!({ "url": "file:///x", "metadata": { "store": "file" } });
        assert_eq!(value["locations"], json!([location]));
        assert_eq!((&value["direct_url"], &value["stores"]), (&json!("file:///x"), &json!("file")));
    }
}
