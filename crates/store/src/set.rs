//! The stores that are enabled, by name.

use std::cmp::Reverse;
use std::sync::Arc;

use image::Location;
use thiserror::Error;

use crate::{FileStore, Principal, Store};

/// A name that is not among the enabled stores.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("store '{0}' is not enabled")]
pub struct UnknownStore(pub String);

/// An enabled store, as operators and clients know it.
#[derive(Clone)]
pub struct Enabled {
    /// Its name: Glance's store identifier.
    pub name: String,
    /// What it is, in the operator's words (`store_description`).
    pub description: Option<String>,
    /// Its rank among stores that hold the same image: the highest is read first.
    pub weight: i64,
    /// The store.
    pub store: Arc<dyn Store>,
}

/// The stores that the service keeps for itself. They appear in no list.
#[derive(Clone)]
pub struct Reserved {
    /// Where uploads wait for their import (`os_glance_staging_store`, `node_staging_uri`).
    pub staging: FileStore,
    /// Where Glance's tasks do their work (`os_glance_tasks_store`, `[task] work_dir`).
    pub tasks: FileStore,
}

/// Whether clients know stores by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// They do (`enabled_backends`).
    Seen,
    /// They see images alone (`[glance_store] stores`).
    Hidden,
}

/// The enabled stores, and which of them takes new images.
#[derive(Clone)]
pub struct Stores {
    /// In the order of the configuration.
    enabled: Vec<Enabled>,
    default: usize,
    naming: Naming,
    reserved: Option<Reserved>,
}

impl Stores {
    /// One store, which is the default.
    pub fn single(name: &str, store: Arc<dyn Store>) -> Self {
        let enabled = Enabled { name: name.to_owned(), description: None, weight: 0, store };
        Self { enabled: vec![enabled], default: 0, naming: Naming::Seen, reserved: None }
    }

    /// The same, and another store beside them.
    pub fn with(mut self, name: &str, store: Arc<dyn Store>) -> Self {
        self.enabled.extend(Self::single(name, store).enabled);
        self
    }

    /// Stores that a configuration enables. Errors: the default is none of them.
    pub(crate) fn new(
        enabled: Vec<Enabled>,
        default: &str,
        naming: Naming,
    ) -> Result<Self, UnknownStore> {
        let place = enabled.iter().position(|store| store.name == default);
        let default = place.ok_or_else(|| UnknownStore(default.to_owned()))?;
        Ok(Self { enabled, default, naming, reserved: None })
    }

    /// The same, with the stores that the service keeps for itself.
    pub fn with_reserved(self, reserved: Reserved) -> Self {
        Self { reserved: Some(reserved), ..self }
    }

    /// The same stores, each as a caller uses it; `None` where that makes no difference.
    pub fn on_behalf(&self, of: &Principal) -> Option<Self> {
        let acting: Vec<_> = self.enabled.iter().map(|one| one.store.on_behalf(of)).collect();
        if acting.iter().all(Option::is_none) {
            return None;
        }
        let mut stores = self.clone();
        for (enabled, acting) in stores.enabled.iter_mut().zip(acting) {
            enabled.store = acting.unwrap_or_else(|| enabled.store.clone());
        }
        Some(stores)
    }

    /// Whether clients know stores by name. Where they don't, Glance's API has no lists of stores,
    /// and images don't say where they are.
    pub fn are_named(&self) -> bool {
        self.naming == Naming::Seen
    }

    /// The name of the store that takes new images.
    pub fn default_name(&self) -> &str {
        &self.enabled[self.default].name
    }

    /// The stores, in the order of the configuration.
    pub fn enabled(&self) -> &[Enabled] {
        &self.enabled
    }

    /// Names and stores, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<dyn Store>)> {
        self.enabled.iter().map(|enabled| (enabled.name.as_str(), &enabled.store))
    }

    /// A store by its name; the default one for `None`.
    pub fn get(&self, name: Option<&str>) -> Result<(&str, &Arc<dyn Store>), UnknownStore> {
        let found = match name {
            None => self.enabled.get(self.default),
            Some(name) => self.enabled.iter().find(|enabled| enabled.name == name),
        };
        found
            .map(|enabled| (enabled.name.as_str(), &enabled.store))
            .ok_or_else(|| UnknownStore(name.unwrap_or_default().to_owned()))
    }

    /// The staging area of imports. Errors: these stores were opened without one.
    pub fn staging(&self) -> Result<&FileStore, UnknownStore> {
        let reserved = self.reserved.as_ref().map(|reserved| &reserved.staging);
        reserved.ok_or_else(|| UnknownStore("os_glance_staging_store".to_owned()))
    }

    /// The work area of imports. Errors: these stores were opened without one.
    pub fn tasks(&self) -> Result<&FileStore, UnknownStore> {
        let reserved = self.reserved.as_ref().map(|reserved| &reserved.tasks);
        reserved.ok_or_else(|| UnknownStore("os_glance_tasks_store".to_owned()))
    }

    /// A location for bytes that were written to this store, as the catalog keeps it: with the
    /// store's name where names are known.
    pub fn location(&self, name: &str, uri: String) -> Location {
        let metadata = self.get(Some(name)).map(|(_, store)| store.metadata(&uri));
        let location = Location::new(uri, self.are_named().then_some(name));
        Location { metadata: metadata.unwrap_or_default(), ..location }
    }

    /// The location of a URI that somebody names, with the store whose URIs begin so.
    pub fn found(&self, uri: &str) -> Location {
        let mut location = [Location::new(uri, None)];
        self.settle(&mut location);
        let [location] = location;
        location
    }

    /// The store that holds a location: the one that it names; else, for locations written before
    /// stores had names and for stores that were renamed since, the one whose URIs begin so, as in
    /// Glance (`update_store_in_locations`). Where clients don't know names, it is at last the one of
    /// its scheme, as in Glance (`get_store_from_uri`): the store was in another pool, bucket or
    /// container once.
    pub fn holding(&self, location: &Location) -> Result<&Arc<dyn Store>, UnknownStore> {
        let found = self.find(location).map(|enabled| &enabled.store);
        found.ok_or_else(|| {
            UnknownStore(location.store.clone().unwrap_or_else(|| location.scheme().to_owned()))
        })
    }

    /// Names the stores of an image's locations, and puts the locations into the order in which
    /// they are read: the heaviest store first, as in Glance (`sort_image_locations`).
    pub fn settle(&self, locations: &mut [Location]) {
        if !self.are_named() {
            return;
        }
        for location in locations.iter_mut() {
            let found = self.find(location).map(|enabled| enabled.name.as_str());
            if found.is_some() && found != location.store.as_deref() {
                location.store = found.map(str::to_owned);
            }
        }
        if locations.len() > 1 {
            locations.sort_by_key(|location| Reverse(self.weight(location)));
        }
    }

    /// The same as [`holding`](Self::holding), with the store's name.
    pub fn find(&self, location: &Location) -> Option<&Enabled> {
        let name = location.store.as_deref();
        let named = self.enabled.iter().find(|enabled| name == Some(enabled.name.as_str()));
        let holding = || self.enabled.iter().find(|enabled| enabled.store.holds(&location.uri));
        named.or_else(holding).or_else(|| self.of_scheme(location.scheme()))
    }

    fn of_scheme(&self, scheme: &str) -> Option<&Enabled> {
        let is_its = |enabled: &&Enabled| enabled.store.schemes().contains(&scheme);
        self.enabled.iter().find(is_its).filter(|_| !self.are_named())
    }

    /// Whether what the store of that name has of an image may be what a location means. It is not,
    /// where another store knows the URI for its own: then what the store has is nobody's.
    pub fn may_be_in(&self, name: &str, location: &Location) -> bool {
        let is_elsewhere = self.find(location).is_some_and(|found| {
            found.name != name
                && found.store.holds(&location.uri)
                && self.get(Some(name)).is_ok_and(|(_, store)| !store.holds(&location.uri))
        });
        !is_elsewhere
    }

    fn weight(&self, location: &Location) -> i64 {
        self.find(location).map_or(0, |enabled| enabled.weight)
    }
}
