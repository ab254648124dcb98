//! `glance-download`: an image of another region's Glance, which the service catalog of the caller's
//! token names. It is read with that token: what the caller may not see there stays there.

use std::time::Duration;

use axum::body::Body;
use fetch::Fetcher;
use http::HeaderValue;
use http::header::LOCATION;
use image::{ContainerFormat, DiskFormat};
use reqwest::{Client, Response, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

use super::super::body::Remote;
use super::super::failure::Failure;
use super::super::settings::ImportSettings;
use super::Opened;
use crate::keys::Token;

const CONNECT: Duration = Duration::from_secs(30);
/// Silence of the other side at most.
const IDLE: Duration = Duration::from_secs(60);

/// The namespace of properties that a service keeps for itself.
const RESERVED: &str = "os_glance";

const GLANCE: &str = "the other region's Glance";
const KEYSTONE: &str = "Keystone";

/// Why an image of another region can't be had.
#[derive(Debug, Error)]
pub(in crate::imports) enum Unreachable {
    #[error("the caller's token is known only to the service that was asked; ask again")]
    NoToken,
    #[error("this service knows no Keystone to ask for the other region")]
    NoKeystone,
    #[error("no Glance endpoint is known for region {region} and interface {interface}")]
    NoEndpoint { region: String, interface: String },
    #[error("{what} can't be asked: {cause}")]
    NoAnswer {
        what: &'static str,
        #[source]
        cause: reqwest::Error,
    },
    #[error("{what} answered {status}")]
    Refused { what: &'static str, status: reqwest::StatusCode },
    #[error("the source image should be active instead of {0}")]
    NotActive(String),
    #[error("the source image has formats that are unknown here")]
    Formats,
}

#[derive(Deserialize)]
struct Catalog {
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

pub(super) async fn open(
    settings: &ImportSettings,
    remote: &Remote,
    token: Option<&Token>,
) -> Result<Opened, Failure> {
    let other = Other::find(settings, remote, token).await?;
    let path = format!("/v2/images/{}", remote.image.as_deref().unwrap_or_default());
    let record: Map<String, Value> = other.read(GLANCE, &path).await?;
    let status = record.get("status").and_then(Value::as_str).unwrap_or("unknown");
    if status != "active" {
        return Err(Unreachable::NotActive(status.to_owned()).into());
    }
    let formats = formats(&record).ok_or(Unreachable::Formats)?;
    let data = other.data(&format!("{path}/file"), &settings.fetcher).await?;
    let copied = record.iter().filter(|(name, _)| {
        !name.starts_with(RESERVED)
            && settings.copied_properties.iter().any(|prefix| name.starts_with(prefix))
    });
    let texts = copied.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Ok(Opened { formats: Some(formats), properties: texts.collect(), ..data })
}

fn formats(record: &Map<String, Value>) -> Option<(DiskFormat, ContainerFormat)> {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    Some((text("disk_format")?.parse().ok()?, text("container_format")?.parse().ok()?))
}

/// A service that is asked with the caller's token.
struct Other<'a> {
    client: Client,
    token: &'a HeaderValue,
    endpoint: String,
}

impl<'a> Other<'a> {
    async fn find(
        settings: &ImportSettings,
        remote: &Remote,
        token: Option<&'a Token>,
    ) -> Result<Self, Unreachable> {
        let token = token.ok_or(Unreachable::NoToken)?.header();
        let endpoint = settings.keystone.clone().ok_or(Unreachable::NoKeystone)?;
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .build()
            .map_err(|cause| Unreachable::NoAnswer { what: KEYSTONE, cause })?;
        let keystone = Self { client, token, endpoint };
        let known: Catalog = keystone.read(KEYSTONE, "/auth/catalog").await?;
        Ok(Self { endpoint: find(known, remote)?, ..keystone })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
    ) -> Result<T, Unreachable> {
        let read = self.get(what, path).await?.json().await;
        read.map_err(|cause| Unreachable::NoAnswer { what, cause })
    }

    /// The bytes at a path, or where it sends its clients: that place has to lie outside, and gets
    /// no token. A body that ends before its length is an error of the stream.
    async fn data(&self, path: &str, fetcher: &Fetcher) -> Result<Opened, Failure> {
        let response = self.ask(GLANCE, path).await?;
        if let Some(place) = elsewhere(&response) {
            let admitted = fetcher.locate(&place).await?;
            let answer = fetcher.get(admitted, None).await?;
            return Ok(Opened::plain(Body::from_stream(answer.data), answer.length));
        }
        let response = succeeded(GLANCE, response)?;
        let length = response.content_length();
        Ok(Opened::plain(Body::new(reqwest::Body::from(response)), length))
    }

    async fn get(&self, what: &'static str, path: &str) -> Result<Response, Unreachable> {
        succeeded(what, self.ask(what, path).await?)
    }

    async fn ask(&self, what: &'static str, path: &str) -> Result<Response, Unreachable> {
        let request = self.client.get(format!("{}{path}", self.endpoint));
        let response = request.header("X-Auth-Token", self.token.clone()).send().await;
        response.map_err(|cause| Unreachable::NoAnswer { what, cause })
    }
}

fn succeeded(what: &'static str, response: Response) -> Result<Response, Unreachable> {
    match response.status() {
        status if status.is_success() => Ok(response),
        status => Err(Unreachable::Refused { what, status }),
    }
}

/// Where an answer sends on to.
fn elsewhere(response: &Response) -> Option<String> {
    let place = response.headers().get(LOCATION)?.to_str().ok()?;
    let place = response.url().join(place).ok()?;
    response.status().is_redirection().then(|| place.into())
}

/// Where the catalog has the region's image service.
fn find(known: Catalog, remote: &Remote) -> Result<String, Unreachable> {
    let region = remote.region.clone().unwrap_or_default();
    let fits = |endpoint: &Endpoint| {
        let place = endpoint.region_id.as_ref().or(endpoint.region.as_ref());
        endpoint.interface == remote.interface
            && place.is_some_and(|place| place.eq_ignore_ascii_case(&region))
    };
    let images = known.catalog.into_iter().filter(|service| service.kind == "image");
    let found = images.flat_map(|service| service.endpoints).find(fits);
    let url = found.map(|endpoint| endpoint.url.trim_end_matches('/').to_owned());
    url.ok_or(Unreachable::NoEndpoint { region, interface: remote.interface.clone() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_catalog_is_searched_by_region_and_interface() {
        let known = || {
            let endpoint = |interface, region| {
                let url = format!("http://{interface}.{region}/");
                json!({"interface": interface, "region": region, "url": url})
            };
            serde_json::from_value(json!({"catalog": [
                {"type": "compute", "endpoints": [endpoint("public", "two")]},
                {"type": "image", "endpoints": [endpoint("public", "one"),
                    endpoint("internal", "two"), endpoint("public", "two")]},
            ]}))
            .unwrap()
        };
        let remote = |region: &str| Remote {
            region: Some(region.into()),
            image: None,
            interface: "public".into(),
        };
        assert_eq!(find(known(), &remote("TWO")).unwrap(), "http://public.two");
        assert!(find(known(), &remote("three")).is_err());
    }
}
