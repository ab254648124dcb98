//! Changes of a record, as Glance's JSON patch (Image API v2, "Update image").

use serde_json::{Value, json};

pub(super) const MEDIA_TYPE: &str = "application/openstack-images-v2.1-json-patch";

/// Properties that every image has, and which are therefore replaced, never added.
const BASE: &[&str] = &[
    "name",
    "visibility",
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "protected",
    "os_hidden",
    "tags",
    "owner",
];

/// One change of an image's record.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Sets a field or custom property, whether or not it was set before.
    Set(String, Value),
    /// Removes a custom property; an error when there is none of that name.
    Remove(String),
}

impl Change {
    /// Sets `name` to `value`.
    pub fn set(name: &str, value: impl Into<Value>) -> Self {
        Self::Set(name.to_owned(), value.into())
    }

    /// Removes the custom property `name`.
    pub fn remove(name: &str) -> Self {
        Self::Remove(name.to_owned())
    }

    pub(super) fn operation(&self) -> Value {
        match self {
            Self::Set(name, value) => {
                let op = if BASE.contains(&name.as_str()) { "replace" } else { "add" };
                json!({"op": op, "path": pointer(name), "value": value})
            }
            Self::Remove(name) => json!({"op": "remove", "path": pointer(name)}),
        }
    }
}

/// A JSON pointer to a property (RFC 6901, section 3).
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_fields_are_replaced_and_custom_ones_added() {
        for (change, expected) in [
            (Change::set("min_disk", 8), json!({"op": "replace", "path": "/min_disk", "value": 8})),
            (Change::set("a/b~c", "x"), json!({"op": "add", "path": "/a~1b~0c", "value": "x"})),
            (Change::remove("os_distro"), json!({"op": "remove", "path": "/os_distro"})),
        ] {
            assert_eq!(change.operation(), expected);
        }
    }
}
