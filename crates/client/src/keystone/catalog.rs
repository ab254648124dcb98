//! The service catalog of a token.

use reqwest::Url;
use serde::Deserialize;

use crate::{Error, Result};

/// Names for the image service in a catalog: the official type and its alias in the service types
/// authority.
const IMAGE_TYPES: [&str; 2] = ["image", "glance"];

/// Services and their endpoints.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Catalog(Vec<Service>);

#[derive(Debug, Clone, Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Clone, Deserialize)]
struct Endpoint {
    interface: String,
    url: String,
    region_id: Option<String>,
    /// What `region_id` was called before Keystone v3.2; both are sent today.
    region: Option<String>,
}

impl Catalog {
    /// The service of one of these types with this interface, in this region or the first one
    /// listed.
    pub fn service(&self, types: &[&str], interface: &str, region: Option<&str>) -> Option<Url> {
        let fits = |endpoint: &&Endpoint| {
            endpoint.interface == interface
                && region.is_none_or(|region| endpoint.region() == Some(region))
        };
        self.endpoints(types).find(fits).and_then(|found| Url::parse(&found.url).ok())
    }

    /// Every URL of the services of these types, whatever their interface and region.
    pub fn urls(&self, types: &[&str]) -> impl Iterator<Item = Url> {
        self.endpoints(types).filter_map(|endpoint| Url::parse(&endpoint.url).ok())
    }

    /// The image service with this interface, in this region or the first one listed.
    pub(crate) fn image_service(&self, interface: &str, region: Option<&str>) -> Result<Url> {
        self.service(&IMAGE_TYPES, interface, region).ok_or_else(|| Error::NoImageService {
            interface: interface.to_owned(),
            region: region.map(str::to_owned),
            found: self.endpoints(&IMAGE_TYPES).map(Endpoint::place).collect(),
        })
    }

    fn endpoints(&self, types: &[&str]) -> impl Iterator<Item = &Endpoint> {
        let services = self.0.iter().filter(|service| types.contains(&service.kind.as_str()));
        services.flat_map(|service| &service.endpoints)
    }
}

impl Endpoint {
    fn region(&self) -> Option<&str> {
        self.region_id.as_deref().or(self.region.as_deref())
    }

    fn place(&self) -> String {
        format!("{}/{}", self.region().unwrap_or("-"), self.interface)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn endpoints_are_chosen_by_interface_and_region() {
        let endpoint = |interface: &str, region: &str| {
            let url = format!("http://{interface}.{region}:9292");
            json!({"interface": interface, "region_id": region, "region": region, "url": url})
        };
        let catalog: Catalog = serde_json::from_value(json!([
            {"type": "compute", "name": "nova", "endpoints": [endpoint("public", "one")]},
            {"type": "image", "name": "glance", "endpoints": [
                endpoint("public", "one"), endpoint("internal", "one"), endpoint("public", "two")]},
        ]))
        .unwrap();
        let host = |interface: &str, region: Option<&str>| {
            catalog.image_service(interface, region).map(|url| url.host_str().unwrap().to_owned())
        };
        assert_eq!(host("public", None).unwrap(), "public.one");
        assert_eq!(host("public", Some("two")).unwrap(), "public.two");
        assert_eq!(host("internal", None).unwrap(), "internal.one");
        let error = host("internal", Some("two")).unwrap_err().to_string();
        assert!(error.contains("in region 'two'"), "{error}");
        assert!(error.contains("one/public, one/internal, two/public"), "{error}");
    }
}
