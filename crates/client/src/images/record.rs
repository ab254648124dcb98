//! An image's record as the Image API writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An image. Formats, states and visibilities are text: each service has its own lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Identifier.
    pub id: String,
    /// Name; need not be unique.
    #[serde(default)]
    pub name: Option<String>,
    /// `queued`, `saving`, `active`, `deactivated`, …
    pub status: String,
    /// `private`, `shared`, `community` or `public`.
    #[serde(default)]
    pub visibility: Option<String>,
    /// The project that owns it.
    #[serde(default)]
    pub owner: Option<String>,
    /// `raw`, `qcow2`, …
    #[serde(default)]
    pub disk_format: Option<String>,
    /// `bare`, `ovf`, …
    #[serde(default)]
    pub container_format: Option<String>,
    /// Bytes stored.
    #[serde(default)]
    pub size: Option<u64>,
    /// Bytes of the disk that they describe.
    #[serde(default)]
    pub virtual_size: Option<u64>,
    /// MD5 of the bytes, in hexadecimal.
    #[serde(default)]
    pub checksum: Option<String>,
    /// The algorithm of `os_hash_value`.
    #[serde(default)]
    pub os_hash_algo: Option<String>,
    /// Digest of the bytes, in hexadecimal.
    #[serde(default)]
    pub os_hash_value: Option<String>,
    /// Smallest disk of an instance, in GiB.
    #[serde(default)]
    pub min_disk: u64,
    /// Smallest memory of an instance, in MiB.
    #[serde(default)]
    pub min_ram: u64,
    /// Whether deletion is refused.
    #[serde(default)]
    pub protected: bool,
    /// Whether lists leave it out.
    #[serde(default)]
    pub os_hidden: bool,
    /// When it was registered, in ISO 8601.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When its record last changed.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Everything else: custom properties, and what services add (`file`, `stores`, …).
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What services add to a record that no user set.
const SERVICE_PROPERTIES: &[&str] =
    &["self", "file", "schema", "direct_url", "locations", "stores"];

impl Image {
    /// Properties that users set.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let custom =
            |name: &str| !SERVICE_PROPERTIES.contains(&name) && !name.starts_with("os_glance");
        self.extra
            .iter()
            .filter(move |(name, _)| custom(name))
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// Name when it has one, else id.
    pub fn title(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.id)
    }
}

/// An image to be registered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewImage {
    fields: Map<String, Value>,
    tags: Vec<String>,
}

impl NewImage {
    /// An image with a name; `container_format` is `bare` unless set otherwise.
    pub fn named(name: &str) -> Self {
        Self::default().set("name", name).set("container_format", "bare")
    }

    /// Sets `disk_format`.
    #[must_use]
    pub fn disk_format(self, format: &str) -> Self {
        self.set("disk_format", format)
    }

    /// Sets any field or custom property.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    pub(super) fn body(&self) -> Value {
        let mut body = Value::Object(self.fields.clone());
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_glance_is_read_and_custom_properties_are_told_apart() {
        let image: Image = serde_json::from_value(json!({
            "id": "71c675ab-d94f-49cd-a114-e12490b328d9", "name": null, "status": "queued",
            "visibility": "shared", "owner": "p1", "disk_format": null, "container_format": null,
            "size": null, "virtual_size": null, "checksum": null, "os_hash_algo": null,
            "os_hash_value": null, "min_disk": 0, "min_ram": 0, "protected": false,
            "os_hidden": false, "created_at": "2026-11-24T09:00:00Z",
            "updated_at": "2026-11-24T09:00:00Z", "tags": ["a"], "locations": [],
            "self": "/v2/images/71c675ab", "file": "/v2/images/71c675ab/file",
            "schema": "/v2/schemas/image", "stores": "fast", "os_glance_importing_to_stores": "",
            "os_distro": "debian",
        }))
        .unwrap();
        assert_eq!(image.properties().collect::<Vec<_>>(), [("os_distro", "debian")]);
        assert_eq!(image.title(), image.id);
    }

    #[test]
    fn a_new_image_says_only_what_was_set() {
        let new = NewImage::named("x").disk_format("raw").set("min_disk", 3).tag("lts");
        let expected = json!({"name": "x", "container_format": "bare", "disk_format": "raw",
            "min_disk": 3, "tags": ["lts"]});
        assert_eq!(new.body(), expected);
    }
}
