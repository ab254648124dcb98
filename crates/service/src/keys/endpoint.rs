//! Where Barbican is: at the endpoint that is configured, or at the one that Keystone's catalog
//! names.
//!
//! Reference: "Get service catalog" of the Identity API v3.

use reqwest::Client;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::barbican::{Token, read, send, unreadable};
use super::settings::{BarbicanSettings, Place};
use super::{Missing, settings};

/// What catalogs call Barbican.
const SERVICE: &str = "key-manager";

/// Barbican's address, once it is known.
pub(super) struct Endpoint {
    place: Place,
    version: String,
    found: OnceCell<String>,
}

#[derive(Deserialize)]
struct Document {
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    interface: String,
    region_id: Option<String>,
    url: String,
}

impl Endpoint {
    pub(super) fn new(settings: &BarbicanSettings) -> Self {
        let (place, version) = (settings.place.clone(), settings.version.clone());
        Self { place, version, found: OnceCell::new() }
    }

    /// The URL of secrets, without a slash at its end. Asked of Keystone once, as the caller.
    pub(super) async fn secrets(
        &self,
        client: &Client,
        token: Option<&Token>,
    ) -> Result<&str, Missing> {
        let find = || async {
            let root = match &self.place {
                Place::At(url) => url.clone(),
                Place::InCatalog(catalog) => look_up(client, catalog, token).await?,
            };
            // Catalogs name services with or without their version.
            let versioned = format!("/{}", self.version);
            let root = root.trim_end_matches('/');
            let root = root.strip_suffix(&versioned).unwrap_or(root);
            Ok(format!("{root}{versioned}/secrets"))
        };
        self.found.get_or_try_init(find).await.map(String::as_str)
    }
}

async fn look_up(
    client: &Client,
    catalog: &settings::Catalog,
    token: Option<&Token>,
) -> Result<String, Missing> {
    let request = client.get(format!("{}/auth/catalog", catalog.keystone));
    let answer = read(send(request, token).await?).await?;
    let document: Document = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
    let services = document.catalog.iter().filter(|service| service.kind == SERVICE);
    let fits = |listed: &&Listed| {
        let region = catalog.region.as_ref();
        listed.interface == catalog.interface
            && region.is_none_or(|region| listed.region_id.as_ref() == Some(region))
    };
    let found = services.flat_map(|service| &service.endpoints).find(fits);
    found.map(|listed| listed.url.clone()).ok_or_else(|| {
        Missing::Failed(format!("the catalog has no {} endpoint of {SERVICE}", catalog.interface))
    })
}
