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

    /// The URI as answers show it: a key or password that Glance has written into a location in S3
    /// or Swift is nobody's business.
    pub fn shown_uri(&self) -> String {
        match WITH_CREDENTIALS.contains(&self.scheme()) {
            true => without_credentials(&self.uri),
            false => self.uri.clone(),
        }
    }
}

/// Schemes whose URIs may have credentials of the service before their host.
const WITH_CREDENTIALS: &[&str] =
    &["s3", "s3+http", "s3+https", "swift", "swift+http", "swift+https"];

/// A URI without what stands before its host. Secrets of S3 may have slashes and more in them, so
/// the last `@` counts.
pub fn without_credentials(uri: &str) -> String {
    match (uri.split_once("://"), uri.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        for (uri, shown) in [
            ("s3://AK:se/cr@et@h/b/k", "s3://h/b/k"),
            ("swift+https://p%3Au:pw@k:5000/v3/c/o", "swift+https://k:5000/v3/c/o"),
            ("swift+config://ref1/c@d/o", "swift+config://ref1/c@d/o"),
            ("http://u:pw@h/x", "http://u:pw@h/x"),
            ("file:///a@b", "file:///a@b"),
        ] {
            assert_eq!(Location::new(uri, None).shown_uri(), shown);
        }
    }

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
