//! Requests about an image whose bytes another service has staged go on to that service, with the
//! caller's token, as in Glance.

use std::time::Duration;

use catalog::STAGE_HOST;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use image::Image;
use reqwest::{Client, redirect};
use serde_json::Value;

use super::ImportSettings;
use crate::app::App;
use crate::error::{ApiError, Result};

/// As long as Glance waits.
const ANSWER: Duration = Duration::from_secs(60);

/// Says that a request has come from a service already: two that each take the other for the one
/// that staged would send it to and fro.
const PASSED_ON: HeaderName = HeaderName::from_static("x-tintype-passed-on");

/// The other service that has staged the image's bytes, if it is another.
pub(super) fn host_of<'a>(
    settings: &ImportSettings,
    image: &'a Image,
    headers: &HeaderMap,
) -> Option<&'a str> {
    let host = image.properties.get(STAGE_HOST)?;
    let elsewhere = !host.is_empty() && settings.own_url.as_ref() != Some(host);
    (elsewhere && !headers.contains_key(PASSED_ON)).then_some(host)
}

/// Deletes an image where its staged bytes are, if that is elsewhere; says whether that was done.
/// When the other service can't be asked, the image is deleted here, and its staged bytes stay
/// there until they are swept.
pub(crate) async fn deleted_elsewhere(
    app: &App,
    image: &Image,
    headers: &HeaderMap,
) -> Result<bool> {
    let Some(host) = host_of(&app.imports.settings, image, headers) else { return Ok(false) };
    let path = format!("/v2/images/{}", image.id);
    match proxy(host, Method::DELETE, &path, headers, None).await {
        Ok(()) => Ok(true),
        Err(error) if error.status.is_server_error() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sends a request on. Errors: what the other service answers; 504 and 502 when it can't be asked.
pub(super) async fn proxy(
    host: &str,
    method: Method,
    path: &str,
    headers: &HeaderMap,
    body: Option<&Value>,
) -> Result<()> {
    let client = Client::builder().redirect(redirect::Policy::none()).timeout(ANSWER).build();
    let client = client.map_err(|error| ApiError::internal(&error))?;
    let mut request = client.request(method, format!("{host}{path}")).header(PASSED_ON, "1");
    if let Some(token) = headers.get("x-auth-token") {
        request = request.header("x-auth-token", token.clone());
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.map_err(|error| unreachable(host, &error))?;
    match response.status() {
        status if status.is_success() => Ok(()),
        status => {
            let reason = status.canonical_reason().unwrap_or("refused");
            Err(ApiError::new(status, reason))
        }
    }
}

fn unreachable(host: &str, error: &reqwest::Error) -> ApiError {
    tracing::error!(host, %error, "the service that staged an image can't be asked");
    let status = match error.is_connect() {
        true => StatusCode::GATEWAY_TIMEOUT,
        false => StatusCode::BAD_GATEWAY,
    };
    ApiError::new(status, "Stage host is unavailable")
}
