//! Where the services are: the catalog that tokens carry.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::digest::Digest;

/// The only region.
pub(crate) const REGION: &str = "RegionOne";

const INTERFACES: [&str; 3] = ["public", "internal", "admin"];

/// Where clients reach the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    identity: String,
    image: String,
}

/// A service of the catalog.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    url: String,
}

/// One way to reach a service. All of them have the same address.
pub(crate) struct Endpoint<'a> {
    pub(crate) id: String,
    pub(crate) interface: &'static str,
    pub(crate) service: &'a Service,
}

impl Endpoints {
    /// Of a service at `base`, as in `http://127.0.0.1:9292`, with the built-in identity nested at
    /// `/identity`.
    pub fn at(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Self { identity: format!("{base}/identity"), image: base.to_owned() }
    }

    /// What clients are given as `auth_url`.
    pub fn auth_url(&self) -> String {
        self.identity_url("/v3")
    }

    /// The identity service itself, as `WWW-Authenticate` names it.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// A path below the identity service, as in `/v3/projects`.
    pub(crate) fn identity_url(&self, path: &str) -> String {
        format!("{}{path}", self.identity)
    }

    pub(crate) fn services(&self) -> [Service; 2] {
        [
            Service::new("identity", "keystone", self.auth_url()),
            Service::new("image", "glance", self.image.clone()),
        ]
    }

    /// As tokens carry it.
    pub(crate) fn catalog(&self) -> Vec<Value> {
        self.services().iter().map(Service::with_endpoints).collect()
    }
}

impl Service {
    fn new(kind: &'static str, name: &'static str, url: String) -> Self {
        Self { id: stable_id(kind), kind, name, url }
    }

    pub(crate) fn endpoints(&self) -> [Endpoint<'_>; 3] {
        INTERFACES.map(|interface| Endpoint {
            id: stable_id(&format!("{} {interface}", self.kind)),
            interface,
            service: self,
        })
    }

    fn with_endpoints(&self) -> Value {
        let endpoints = self.endpoints().map(|endpoint| endpoint.to_json());
        json!({"id": self.id, "type": self.kind, "name": self.name, "endpoints": endpoints})
    }
}

impl Endpoint<'_> {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "interface": self.interface,
            "region": REGION,
            "region_id": REGION,
            "url": self.service.url,
        })
    }
}

/// The same on every start, with nothing to remember.
fn stable_id(of: &str) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&Digest::of(of).as_bytes()[..16]);
    Uuid::from_bytes(half).simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_has_each_service_at_each_interface() {
        let catalog = Endpoints::at("http://127.0.0.1:9292/").catalog();
        let found: Vec<_> = catalog
            .iter()
            .flat_map(|service| {
                let kind = service["type"].as_str().unwrap();
                let endpoints = service["endpoints"].as_array().unwrap();
                endpoints.iter().map(move |e| (kind, e["interface"].clone(), e["url"].clone()))
            })
            .map(|(kind, interface, url)| format!("{kind} {interface} {url}"))
            .collect();
        assert_eq!(found.len(), 6);
        assert!(found.contains(&r#"image "public" "http://127.0.0.1:9292""#.to_owned()));
        assert!(
            found.contains(&r#"identity "admin" "http://127.0.0.1:9292/identity/v3""#.to_owned())
        );
    }

    #[test]
    fn ids_are_the_same_on_every_start_and_distinct() {
        let ids = || {
            let services = Endpoints::at("http://x").services();
            services.iter().flat_map(|s| s.endpoints().map(|e| e.id)).collect::<Vec<_>>()
        };
        assert_eq!(ids(), ids());
        assert_eq!(ids().iter().collect::<std::collections::HashSet<_>>().len(), 6);
    }
}
