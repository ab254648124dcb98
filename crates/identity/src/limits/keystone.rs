//! The requests to Keystone, with a token that is renewed when it is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::{Error, Settings};

/// How often a request is sent at most.
const ATTEMPTS: usize = 3;

/// How long it may take to reach Keystone at all.
const CONNECT: Duration = Duration::from_secs(5);

/// What limits belong to.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    service_id: String,
    region_id: Option<String>,
}

/// Keystone as the user of `[oslo_limit]`.
pub(super) struct Keystone {
    client: Client,
    url: String,
    login: serde_json::Value,
    token: Mutex<Option<String>>,
}

#[derive(Deserialize)]
struct OneEndpoint {
    endpoint: Endpoint,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Services {
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    id: String,
}

#[derive(Deserialize)]
struct RegisteredLimits {
    registered_limits: Vec<RegisteredLimit>,
}

#[derive(Deserialize)]
struct RegisteredLimit {
    resource_name: String,
    default_limit: i64,
}

#[derive(Deserialize)]
struct ProjectLimits {
    limits: Vec<ProjectLimit>,
}

#[derive(Deserialize)]
struct ProjectLimit {
    resource_name: String,
    resource_limit: i64,
}

impl Keystone {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(settings.timeout)
            // uWSGI, which serves Keystone, closes connections without saying so beforehand.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(settings.insecure);
        if let Some(path) = &settings.cafile {
            let unread = |cause| Error::Authorities { path: path.clone(), cause };
            let pem = std::fs::read(path).map_err(unread)?;
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(&pem)?);
        }
        Ok(Self {
            client: builder.build()?,
            url: settings.url.clone(),
            login: settings.login.clone(),
            token: Mutex::new(None),
        })
    }

    /// The endpoint that the options name: by its id, or as the only one of a service.
    pub(super) async fn endpoint(&self, settings: &Settings) -> Result<Endpoint, Error> {
        if let Some(id) = &settings.endpoint_id {
            let found: OneEndpoint = self.get(&format!("/endpoints/{id}"), &[]).await?;
            return Ok(found.endpoint);
        }
        let kind = settings.service_type.as_deref();
        let name = settings.service_name.as_deref();
        if kind.is_none() && name.is_none() {
            let what = "set endpoint_id, or endpoint_service_type and endpoint_region_name";
            return Err(Error::NoEndpoint(what.to_owned()));
        }
        let query = [("type", kind), ("name", name)];
        let services: Services = self.get("/services", &query).await?;
        let service = only(services.services, "services")?;
        let query = [
            ("service_id", Some(service.id.as_str())),
            ("region_id", settings.region.as_deref()),
            ("interface", Some(settings.interface.as_str())),
        ];
        let endpoints: Endpoints = self.get("/endpoints", &query).await?;
        only(endpoints.endpoints, "endpoints")
    }

    pub(super) async fn registered_limits(
        &self,
        Endpoint { service_id, region_id }: &Endpoint,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let query =
            [("service_id", Some(service_id.as_str())), ("region_id", region_id.as_deref())];
        let found: RegisteredLimits = self.get("/registered_limits", &query).await?;
        let limits = found.registered_limits.into_iter();
        Ok(limits.map(|limit| (limit.resource_name, limit.default_limit)).collect())
    }

    pub(super) async fn project_limits(
        &self,
        Endpoint { service_id, region_id }: &Endpoint,
        project: &str,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let query = [
            ("service_id", Some(service_id.as_str())),
            ("region_id", region_id.as_deref()),
            ("project_id", Some(project)),
        ];
        let found: ProjectLimits = self.get("/limits", &query).await?;
        let limits = found.limits.into_iter();
        Ok(limits.map(|limit| (limit.resource_name, limit.resource_limit)).collect())
    }

    /// A token that is refused may have run out: once, a new one is tried.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, Option<&str>)],
    ) -> Result<T, Error> {
        let given: Vec<_> = query.iter().filter_map(|(k, v)| Some((*k, (*v)?))).collect();
        let mut refused = None;
        loop {
            let token = self.token(refused.as_deref()).await?;
            let request = self.client.get(format!("{}{path}", self.url)).query(&given);
            let answer = send(request.header("X-Auth-Token", &token)).await?;
            match answer.status() {
                status if status.is_success() => return Ok(answer.json().await?),
                StatusCode::UNAUTHORIZED if refused.is_none() => refused = Some(token),
                status => return Err(refusal(status, path)),
            }
        }
    }

    /// The token that is there, unless it is the one that was refused.
    async fn token(&self, refused: Option<&str>) -> Result<String, Error> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_deref().filter(|token| Some(*token) != refused) {
            return Ok(token.to_owned());
        }
        let path = "/auth/tokens";
        let request = self.client.post(format!("{}{path}", self.url)).json(&self.login);
        let answer = send(request).await?;
        let status = answer.status();
        let token = answer.headers().get("X-Subject-Token").and_then(|token| token.to_str().ok());
        let token = token.filter(|_| status.is_success()).ok_or_else(|| refusal(status, path))?;
        *held = Some(token.to_owned());
        Ok(token.to_owned())
    }
}

/// Sends a request that changes nothing, again where the connection was lost: a Keystone that is
/// being restarted, or is busy, closes some.
async fn send(request: RequestBuilder) -> Result<Response, Error> {
    for _ in 1..ATTEMPTS {
        match request.try_clone().map(RequestBuilder::send) {
            None => break,
            Some(answer) => match answer.await {
                Err(error) if error.is_request() && !error.is_timeout() => {
                    tracing::debug!(%error, "asking Keystone again");
                }
                answer => return Ok(answer?),
            },
        }
    }
    Ok(request.send().await?)
}

fn refusal(status: StatusCode, path: &str) -> Error {
    Error::Refused { status: status.as_u16(), path: path.to_owned() }
}

fn only<T>(mut found: Vec<T>, what: &str) -> Result<T, Error> {
    let count = found.len();
    let one = found.pop().filter(|_| count == 1);
    one.ok_or_else(|| Error::NoEndpoint(format!("{count} {what} match endpoint_…")))
}
