//! The outermost layer: a request's id and log line, and the bodies of failures in the form that
//! the client accepts. The forms are those of WebOb, which Glance answers with.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use tracing::Instrument;

use crate::error::ApiError;
use crate::request_id;

/// The id that a request was given, for those who keep it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives the request an id, logs it, and renders its failure.
pub(crate) async fn render(mut request: Request, next: Next) -> Response {
    let (id, refused) = match request_id::of(request.headers()) {
        Ok(id) => (id, None),
        Err(refused) => (request_id::new(), Some(refused)),
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let accept = accepted(request.headers());
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path());
    let started = Instant::now();
    let mut response = match refused {
        Some(refused) => refused.into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    if let Some(failure) = response.extensions_mut().remove::<ApiError>() {
        fill(&mut response, &failure, accept);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(request_id::HEADER, id);
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

/// What the client likes best, HTML before JSON, and text when it takes neither (RFC 9110, 12.5.1).
/// A client that does not say gets text, and one that says nonsense HTML, as from WebOb.
fn accepted(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !accept.is_empty() && !accept.contains('/') {
        return Form::Html;
    }
    let html = quality(accept, "text/html");
    let json = quality(accept, "application/json");
    match (html, json) {
        (html, json) if html > 0.0 && html >= json => Form::Html,
        (_, json) if json > 0.0 => Form::Json,
        _ => Form::Text,
    }
}

/// How much a kind is wanted, from 0 to 1: the most specific range that it is in decides.
fn quality(accept: &str, kind: &str) -> f32 {
    let family = kind.split_once('/').map_or("", |(family, _)| family);
    let specificity = |range: &str| match range {
        range if range.eq_ignore_ascii_case(kind) => Some(2),
        range if range.strip_suffix("/*").is_some_and(|f| f.eq_ignore_ascii_case(family)) => {
            Some(1)
        }
        "*/*" => Some(0),
        _ => None,
    };
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let specificity = specificity(parts.next()?)?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        Some((specificity, quality.unwrap_or(0.0)))
    });
    ranges.max_by_key(|(specificity, _)| *specificity).map_or(0.0, |(_, quality)| quality)
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
    let status = line(failure.status);
    let message = body(failure, "<br />", escape);
    format!(
        "<html>\n <head>\n  <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n  \
         {message}\n </body>\n</html>"
    )
}

/// The message with what stands below it, after the templates of WebOb.
fn body(failure: &ApiError, br: &str, escape: fn(&str) -> String) -> String {
    let (message, detail) = (escape(&failure.message), escape(&failure.detail));
    if failure.is_bare {
        return message;
    }
    let end = match failure.status {
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => "",
        _ => "\n\n",
    };
    format!("{message}{br}{br}\n{detail}{end}")
}

fn json(failure: &ApiError) -> String {
    let message = body(failure, "<br />", str::to_owned);
    json!({ "message": message, "code": line(failure.status), "title": title(failure.status) })
        .to_string()
}

fn text(failure: &ApiError) -> String {
    // WebOb makes text of the HTML: what broke lines there is white space.
    let body = body(failure, "\u{0}", str::to_owned).replace('\n', " ").replace('\u{0}', "\n");
    format!("{}\n\n{body}", line(failure.status))
}

/// `404 Not Found`.
fn line(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), title(status))
}

/// The words for a status, where WebOb's are older than RFC 9110's.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::RANGE_NOT_SATISFIABLE => "Request Range Not Satisfiable",
        _ => status.canonical_reason().unwrap_or_default(),
    }
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
            (None, Form::Text),
            (Some("nonsense"), Form::Html),
            (Some("text/html;q=0.5, application/json"), Form::Json),
            (Some("application/*"), Form::Json),
            (Some("text/html;q=0, */*;q=0.1"), Form::Json),
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
    }
}
