//! What Glance refuses before a route sees it: `HEAD`, and bodies where none is expected.

use std::collections::HashSet;
use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};

use crate::body;
use crate::error::ApiError;
use crate::routes;

/// Methods and paths that refuse a body, as the description of the API has them.
static WITHOUT_BODY: LazyLock<HashSet<(String, &'static str)>> = LazyLock::new(|| {
    let operations = routes::operations();
    operations.iter().filter(|operation| operation.refuses_bodies()).map(|o| o.key()).collect()
});

/// Stands before every route of `/v2`.
pub(crate) async fn guard(mut request: Request, next: Next) -> Response {
    if is_unexpected_body(&request) {
        return ApiError::bad_request("A body is not expected with this request.").into_response();
    }
    let is_ours = request.uri().path().starts_with("/v2/");
    if is_ours && request.method() == Method::HEAD {
        // Where GET is routed, HEAD is too, unless it is called something else. The answer to a
        // HEAD has no body all the same.
        *request.method_mut() = Method::TRACE;
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        forget_head(response.headers_mut());
    }
    response
}

fn is_unexpected_body(request: &Request) -> bool {
    let has_body = body::content_length(request.headers()).is_some_and(|length| length > 0);
    has_body
        && request.extensions().get::<MatchedPath>().is_some_and(|path| {
            let method = request.method().as_str().to_ascii_lowercase();
            WITHOUT_BODY.iter().any(|(m, p)| *m == method && *p == path.as_str())
        })
}

fn forget_head(headers: &mut HeaderMap) {
    let allowed = headers.get(header::ALLOW).and_then(|allowed| allowed.to_str().ok());
    let methods = allowed.map(|allowed| {
        let methods = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD");
        methods.collect::<Vec<_>>().join(", ")
    });
    if let Some(Ok(methods)) = methods.map(TryInto::try_into) {
        headers.insert(header::ALLOW, methods);
    }
}
