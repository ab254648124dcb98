//! Requests that must come without a body.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use crate::body;
use crate::error::ApiError;

/// As an argument of a route: a request with a body is answered 400.
pub(super) struct NoBody;

impl<S: Sync> FromRequestParts<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
        match chunked || body::content_length(&parts.headers).unwrap_or(0) > 0 {
            true => Err(ApiError::bad_request("A body is not expected with this request.")),
            false => Ok(Self),
        }
    }
}
