//! Where an image's bytes are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The key of Glance's location metadata that names the store.
const STORE: &str = "store";

/// Where an image's bytes are. An image has each location once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// A URI in Glance's spelling, such as `file:///var/lib/glance/images/<id>`.
    pub uri: String,
    /// The name of the store that holds them, when known (Glance's location metadata `store`).
    pub store: Option<String>,
    /// What else the location's metadata says; nothing here depends on it.
    pub metadata: Map<String, Value>,
}

impl Location {
    /// A location in a store; `None` where stores have no names.
    pub fn new(uri: impl Into<String>, store: Option<&str>) -> Self {
        Self { uri: uri.into(), store: store.map(str::to_owned), metadata: Map::new() }
    }

    /// A location with metadata as Glance writes it: the store is one of its keys.
    pub fn described(uri: impl Into<String>, mut metadata: Map<String, Value>) -> Self {
        let store = match metadata.remove(STORE) {
            Some(Value::String(store)) => Some(store),
            Some(other) => {
                metadata.insert(STORE.to_owned(), other);
                None
            }
            None => None,
        };
        Self { uri: uri.into(), store, metadata }
    }

    /// The metadata as Glance writes it.
    pub fn description(&self) -> Map<String, Value> {
        let mut metadata = self.metadata.clone();
        if let Some(store) = &self.store {
            metadata.insert(STORE.to_owned(), Value::String(store.clone()));
        }
        metadata
    }

    /// The URI's scheme, in the case that it is written in; empty when there is none.
    pub fn scheme(&self) -> &str {
        self.uri.split_once("://").map_or("", |(scheme, _)| scheme)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_survives_with_the_store_in_it() {
        for metadata in [
            json!({}),
            json!({ "store": "fast" }),
            json!({ "store": "fast", "mountpoint": "/srv", "tags": ["a"] }),
            json!({ "store": 7 }),
        ] {
            let map = metadata.as_object().unwrap().clone();
            let location = Location::described("file:///x", map);
            assert_eq!(Value::Object(location.description()), metadata);
        }
    }
}
