//! The way of a download: which bytes, from which store, to the socket.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use identity::Caller;
use image::{Image, Status};
use store::Secret;

use crate::app::App;
use crate::error::{ApiError, Result};
use crate::notices;
use crate::range::{self, Wanted};
use crate::reading::{self, Origin};

/// Headers that count here, and would be taken otherwise by a store: it knows other entity tags, and
/// not whose pages may read it.
const FOR_THIS_SERVICE: [HeaderName; 7] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::CONTENT_RANGE,
    header::ORIGIN,
];

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Answers with the image's bytes, or the part of them that the headers ask for.
pub(crate) async fn download(
    app: &App,
    caller: &Caller,
    image: &Image,
    headers: &HeaderMap,
) -> Result<Response> {
    if image.status == Status::Deactivated && !caller.is_admin {
        return Err(ApiError::forbidden(
            "The requested image has been deactivated. Image data download is forbidden.",
        ));
    }
    if image.locations.is_empty() || !image.status.has_data() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let size = reading::size(app, image).await?;
    let etag = etag(image);
    let (status, part) = match range::wanted(headers, size, &etag) {
        Wanted::All => (StatusCode::OK, 0..size),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::NotModified => return Ok(not_modified(&etag)),
        Wanted::Unsatisfiable => return Err(unsatisfiable(size)),
        Wanted::Malformed => {
            let name = if headers.contains_key(header::RANGE) { "Range" } else { "Content-Range" };
            return Err(no_range(format!("Invalid {name} header.")));
        }
        Wanted::Several => {
            return Err(ApiError::bad_request(
                "Requests with multiple ranges are not supported in Glance. You may make multiple \
                 single-range requests instead.",
            ));
        }
        Wanted::PreconditionFailed => {
            let message = "The image's data is not what If-Match names.";
            return Err(ApiError::new(StatusCode::PRECONDITION_FAILED, message));
        }
    };
    let mut response_headers = common_headers(image, &etag)?;
    response_headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        response_headers.insert(header::CONTENT_RANGE, value(range)?);
    }
    let origin = Origin::of(image, &app.stores);
    let is_cached = app.cache.as_ref().is_some_and(|cache| cache.has(image.id));
    if !is_cached
        && may_go_elsewhere(headers)
        && let Some(url) = origin.direct(size).await
    {
        return elsewhere(&url);
    }
    let length = part.end - part.start;
    let data = match &app.cache {
        Some(cache) => cache.read(image, size, part, origin).await?,
        None => origin.open(part).await?,
    };
    let data = notices::sending(&app.notifier, image, caller, length, data);
    Ok((status, response_headers, Body::from_stream(data)).into_response())
}

/// Whether a store answers a request with these headers as this service does.
fn may_go_elsewhere(headers: &HeaderMap) -> bool {
    FOR_THIS_SERVICE.iter().all(|name| !headers.contains_key(name))
}

/// Sends the client to where it reads the bytes by itself. The URL is for this one alone.
fn elsewhere(url: &Secret) -> Result<Response> {
    let mut url = value(url.expose().to_owned())?;
    url.set_sensitive(true);
    let unkept = HeaderValue::from_static("no-store");
    let headers = [(header::LOCATION, url), (header::CACHE_CONTROL, unkept)];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// Bytes never change under an id, but their digest names them even across services.
fn etag(image: &Image) -> String {
    let digest = image.hashes.as_ref().map(|hashes| hashes.value.as_str());
    match digest {
        Some(digest) => format!("\"{digest}\""),
        None => format!("\"{}\"", image.id),
    }
}

fn common_headers(image: &Image, etag: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, value(etag.to_owned())?);
    if let Some(checksum) = image.hashes.as_ref().and_then(|hashes| hashes.checksum.clone()) {
        headers.insert(CONTENT_MD5, value(checksum)?);
    }
    Ok(headers)
}

fn value(text: String) -> Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(|error| ApiError::internal(&error))
}

fn not_modified(etag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if let Ok(etag) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn unsatisfiable(size: u64) -> ApiError {
    let error = no_range(format!(
        "Invalid start position in Range header. Start position MUST be in the inclusive range \
         [0, {}].",
        i128::from(size) - 1
    ));
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(range) => error.with(header::CONTENT_RANGE, range),
        Err(_) => error,
    }
}

fn no_range(detail: String) -> ApiError {
    let message = "The Range requested is not available.";
    ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, message).below(detail)
}
