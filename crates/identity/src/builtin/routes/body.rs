//! JSON bodies.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use super::fields::Fields;
use crate::builtin::error::Problem;

/// The body, read as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::missing("application/json", "Content-Type header"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| {
            match refused.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
                _ => Problem::missing("a whole body", "the request"),
            }
        })?;
        let parsed = serde_json::from_slice(&bytes);
        parsed
            .map(Self)
            .map_err(|why| Problem::Invalid(format!("Malformed json in request body: {why}")))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The body of a creation or an update: `{"project": {…}}`.
pub(super) type Wrapped = Body<serde_json::Map<String, serde_json::Value>>;

impl Wrapped {
    /// What is under `key`.
    pub(super) fn fields(mut self, key: &str) -> Result<Fields, Problem> {
        match self.0.remove(key) {
            Some(serde_json::Value::Object(fields)) => Ok(Fields::new(fields)),
            _ => Err(Problem::missing(key, "request body")),
        }
    }
}
