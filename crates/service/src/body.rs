//! The bodies of requests: JSON, read whole, and image data, of which only the size is judged here.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::error::{ApiError, Result};
use crate::intake::Bounds;

/// Far above any record that the quotas allow.
const MOST: usize = 1024 * 1024;

/// The header by which a client says how large an image is whose bytes it sends.
const SIZE: &str = "x-openstack-image-size";

/// Reads a JSON body of at most 1 MiB. A larger one is refused unread where its length is said.
pub(crate) async fn json(headers: &HeaderMap, body: Body) -> Result<Value> {
    let too_large = || ApiError::too_large(format!("The request's body is over {MOST} bytes."));
    if content_length(headers).is_some_and(|length| length > MOST as u64) {
        return Err(too_large());
    }
    let bytes = match Limited::new(body, MOST).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => return Err(ApiError::bad_request("The request's body ended early.")),
    };
    if bytes.is_empty() {
        return Err(ApiError::bad_request("Body expected in request."));
    }
    let malformed = |_| ApiError::bad_request("Malformed JSON in request body.");
    match serde_json::from_slice(&bytes).map_err(malformed)? {
        value @ (Value::Object(_) | Value::Array(_)) => Ok(value),
        _ => Err(ApiError::bad_request("Unexpected body type. Expected list/dict.")),
    }
}

/// What a client says of the size of the image data that it sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announced {
    /// How many bytes come, as far as that is known.
    pub(crate) length: Option<u64>,
    /// What the header for it says, which need not be true.
    size: Option<i64>,
}

impl Announced {
    /// Reads the headers. Errors: 400 for a size that is no number. 0 says nothing, as in Glance.
    pub(crate) fn by(headers: &HeaderMap) -> Result<Self> {
        let invalid = || ApiError::bad_request("Invalid or missing image size in request headers.");
        let parsed = |size: &HeaderValue| size.to_str().ok()?.trim().parse().ok();
        let size = headers.get(SIZE).map(|size| parsed(size).ok_or_else(invalid)).transpose()?;
        let size = size.filter(|size: &i64| *size != 0);
        let known = || size.and_then(|size| u64::try_from(size).ok());
        Ok(Self { length: content_length(headers).or_else(known), size })
    }

    /// The bounds of these very bytes: they are as many as was said.
    pub(crate) fn bounds(self, bounds: Bounds) -> Bounds {
        Bounds { announced: self.size, ..bounds }
    }
}

/// Whether a body comes, as far as the headers say.
pub(crate) fn is_sent(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) || has_length(headers)
}

/// Whether a body comes whose length is said.
pub(crate) fn has_length(headers: &HeaderMap) -> bool {
    content_length(headers).is_some_and(|length| length > 0)
}

pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Refuses a body of another kind than these with 415, which names what came.
pub(crate) fn expect_type<'a>(headers: &HeaderMap, kinds: &[&'a str]) -> Result<&'a str> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim();
    kinds.iter().find(|kind| kind.eq_ignore_ascii_case(essence)).copied().ok_or_else(|| {
        let message = format!("The request media type {found} is not supported by this server.\n");
        let detail = format!("Invalid content type {essence}");
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).below(detail)
    })
}
