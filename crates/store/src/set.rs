//! The stores that are enabled, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use image::Location;
use thiserror::Error;

use crate::Store;

/// A name that is not among the enabled stores.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("store '{0}' is not enabled")]
pub struct UnknownStore(pub String);

/// The enabled stores, and which of them takes new images.
#[derive(Clone)]
pub struct Stores {
    stores: BTreeMap<String, Arc<dyn Store>>,
    default: String,
}

impl Stores {
    /// One store, which is the default.
    pub fn single(name: &str, store: Arc<dyn Store>) -> Self {
        Self { stores: BTreeMap::from([(name.to_owned(), store)]), default: name.to_owned() }
    }

    /// The name of the store that takes new images.
    pub fn default_name(&self) -> &str {
        &self.default
    }

    /// Names and stores, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Store>)> {
        self.stores.iter().map(|(name, store)| (name.as_str(), store))
    }

    /// A store by its name; the default one for `None`.
    pub fn get(&self, name: Option<&str>) -> Result<(&str, &Arc<dyn Store>), UnknownStore> {
        let name = name.unwrap_or(&self.default);
        self.stores
            .get_key_value(name)
            .map(|(name, store)| (name.as_str(), store))
            .ok_or_else(|| UnknownStore(name.to_owned()))
    }

    /// The store that holds a location: the one that it names, else the default, which is where
    /// Glance looks for locations written before it knew several stores.
    pub fn holding(&self, location: &Location) -> Result<&Arc<dyn Store>, UnknownStore> {
        self.get(location.store.as_deref()).map(|(_, store)| store)
    }
}
