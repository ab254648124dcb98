//! The outermost layer: a request's id and log line, and the bodies of failures in the form that
//! the client accepts. The forms are those of WebOb, which Glance answers with.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use tracing::Instrument;
use uuid::Uuid;

use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// The id that a request was given, for those who keep it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives the request an id, logs it, and renders its failure.
pub(crate) async fn render(mut request: Request, next: Next) -> Response {
    let id = format!("req-{}", Uuid::new_v4());
    request.extensions_mut().insert(RequestId(id.clone()));
    let accept = accepted(request.headers());
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(failure) = response.extensions_mut().remove::<ApiError>() {
        fill(&mut response, &failure, accept);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), milliseconds));
    response
}

/// The forms of a failure's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Html,
    Json,
    Text,
}

/// HTML unless only JSON, or neither, is accepted.
fn accepted(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let accepts = |kinds: &[&str]| kinds.iter().any(|kind| accept.contains(kind));
    if accepts(&["text/html", "text/*", "*/*"]) {
        Form::Html
    } else if accepts(&["application/json", "application/*"]) {
        Form::Json
    } else {
        Form::Text
    }
}

fn fill(response: &mut Response, failure: &ApiError, form: Form) {
    let (kind, body) = match form {
        Form::Html => ("text/html; charset=UTF-8", html(failure)),
        Form::Json => ("application/json", json(failure)),
        Form::Text => ("text/plain; charset=UTF-8", text(failure)),
    };
    let length = HeaderValue::from(body.len());
    *response.body_mut() = body.into();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
}

fn html(failure: &ApiError) -> String {
    let (status, message) = (line(failure.status), escape(&failure.message));
    format!(
        "<html>\n <head>\n  <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n  \
         {message}<br /><br />\n\n\n\n </body>\n</html>"
    )
}

fn json(failure: &ApiError) -> String {
    let message = format!("{}<br /><br />\n\n\n", escape(&failure.message));
    let title = failure.status.canonical_reason().unwrap_or_default();
    json!({ "message": message, "code": line(failure.status), "title": title }).to_string()
}

fn text(failure: &ApiError) -> String {
    format!("{}\n\n{}\n\n\n", line(failure.status), failure.message)
}

/// `404 Not Found`.
fn line(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or_default())
}

fn escape(message: &str) -> String {
    let escaped = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#x27;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_accept() {
        let cases = [
            (None, Form::Html),
            (Some("*/*"), Form::Html),
            (Some("text/html, application/json"), Form::Html),
            (Some("application/json"), Form::Json),
            (Some("image/png"), Form::Text),
        ];
        for (accept, form) in cases {
            let mut headers = HeaderMap::new();
            headers.extend(accept.map(|a| (header::ACCEPT, HeaderValue::from_static(a))));
            assert_eq!(accepted(&headers), form, "{accept:?}");
        }
    }

    #[test]
    fn what_a_client_sent_is_escaped() {
        let failure = ApiError::bad_request("<script>alert('x')</script>");
        assert!(!html(&failure).contains("<script>"));
        assert!(!json(&failure).contains("<script>"));
    }
}
