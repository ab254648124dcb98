//! What Glance refuses before a route sees it: `HEAD`, and bodies where none is expected. What it
//! says of a path's methods comes from the same tables as the description of the API.

use std::sync::{Arc, LazyLock};

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::app::App;
use crate::body;
use crate::caller::Authenticated;
use crate::error::ApiError;
use crate::openapi::Operation;
use crate::routes;

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(routes::operations);

/// Stands before every route. Who has no token does not learn what is refused.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = matched_path(&request);
    if let Some(refusal) = refusal(&request, path.as_deref()) {
        let (mut parts, _) = request.into_parts();
        let caller = Authenticated::from_request_parts(&mut parts, &app).await;
        return caller.err().unwrap_or(refusal).into_response();
    }
    let mut response = next.run(request).await;
    let said = response.headers_mut().remove(header::ALLOW);
    if let (StatusCode::METHOD_NOT_ALLOWED, Some(path)) = (response.status(), path) {
        let allowed = said.filter(is_one_method).unwrap_or_else(|| allowed(&path));
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// What a route says itself is one method. The router names HEAD beside GET, and has no spaces
/// between several.
fn is_one_method(said: &HeaderValue) -> bool {
    !said.as_bytes().contains(&b',')
}

fn matched_path(request: &Request) -> Option<String> {
    Some(request.extensions().get::<MatchedPath>()?.as_str().to_owned())
}

fn refusal(request: &Request, path: Option<&str>) -> Option<ApiError> {
    let path = path.filter(|path| path.starts_with("/v2/"))?;
    if request.method() == Method::HEAD {
        return Some(wrong_method(&Method::HEAD).with(header::ALLOW, allowed(path)));
    }
    let method = request.method().as_str();
    let refuses = |o: &Operation| o.path() == path && o.is_method(method) && o.refuses_bodies();
    let is_refused = has_body(request) && OPERATIONS.iter().any(refuses);
    is_refused.then(|| ApiError::bad_request("A body is not expected with this request."))
}

/// As Glance sees it, chunks are a body only where the method is for one
/// (`JSONRequestDeserializer.has_body`).
fn has_body(request: &Request) -> bool {
    match *request.method() {
        Method::POST | Method::PUT | Method::PATCH => body::is_sent(request.headers()),
        _ => body::has_length(request.headers()),
    }
}

/// A method that a path does not take.
pub(crate) fn wrong_method(method: &Method) -> ApiError {
    let message = format!("The method {method} is not allowed for this resource. ");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

/// The methods that a path takes, in the order in which Glance names them.
fn allowed(path: &str) -> HeaderValue {
    let takes = |method: &&&str| {
        OPERATIONS.iter().any(|operation| operation.path() == path && operation.is_method(method))
    };
    let methods: Vec<_> =
        ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().filter(takes).copied().collect();
    HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
