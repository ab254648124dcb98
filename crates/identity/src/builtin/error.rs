//! What can go wrong with a request, as Keystone says it.

use std::fmt;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is refused. The texts are Keystone's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// 400.
    #[error("{0}")]
    Invalid(String),
    /// 401. One text for every reason, lest it tell which part was wrong.
    #[error("The request you have made requires authentication.")]
    Unauthorized,
    /// 403, for want of rights.
    #[error("You are not authorized to perform the requested action: {0}.")]
    Forbidden(&'static str),
    /// 403, whoever asks.
    #[error("{0}")]
    Refused(&'static str),
    /// 404.
    #[error("Could not find {kind}: {id}.")]
    NotFound { kind: &'static str, id: String },
    /// 404, for a token: it is not said again.
    #[error("Failed to validate token")]
    TokenNotFound,
    /// 404, for a path that means nothing.
    #[error("The resource could not be found.")]
    NoSuchPath,
    /// 405.
    #[error("The method is not allowed for the requested URL.")]
    WrongMethod,
    /// 409.
    #[error(
        "Conflict occurred attempting to store {kind} - Duplicate entry found with name {name}{within}."
    )]
    Duplicate { kind: &'static str, name: String, within: String },
    /// 413.
    #[error("Request is too large.")]
    TooLarge,
    /// 503: too many logins at once.
    #[error("The service is busy with other logins. Try again in a moment.")]
    Busy,
    /// 500. What happened goes to the log, not to the caller.
    #[error("An unexpected error prevented the server from fulfilling your request.")]
    Internal(String),
}

impl Problem {
    pub(crate) fn internal(why: impl fmt::Display) -> Self {
        Self::Internal(why.to_string())
    }

    pub(crate) fn not_found(kind: &'static str, id: &str) -> Self {
        Self::NotFound { kind, id: id.to_owned() }
    }

    /// Something that a request must have: `password` in `user`.
    pub(crate) fn missing(attribute: &str, target: &str) -> Self {
        Self::Invalid(format!(
            "Expecting to find {attribute} in {target}. The server could not comply with the \
             request since it is either malformed or otherwise incorrect. The client is assumed \
             to be in error."
        ))
    }

    /// A value that a field can't have.
    pub(crate) fn field(name: &str, why: impl fmt::Display) -> Self {
        Self::Invalid(format!("Invalid input for field '{name}': {why}"))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } | Self::TokenNotFound | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Duplicate { .. } => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Internal(why) = &self {
            tracing::error!(%why, "identity request failed");
        }
        let status = self.status();
        let body = json!({"error": {
            "code": status.as_u16(),
            "title": status.canonical_reason(),
            "message": self.to_string(),
        }});
        let mut response = (status, Json(body)).into_response();
        let (name, value) = match self {
            Self::Unauthorized => (header::WWW_AUTHENTICATE, "Keystone"),
            Self::Busy => (header::RETRY_AFTER, "1"),
            _ => return response,
        };
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    }
}
