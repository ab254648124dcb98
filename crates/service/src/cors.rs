//! Answers to browsers that ask for pages of other origins. Source: oslo.middleware's `cors`, in
//! front of Glance's pipeline; "Cross-Origin Resource Sharing", W3C.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::app::App;
use crate::rules::Cors;

/// What every page may send.
const SIMPLE: &[&str] = &[
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cache-Control",
    "Content-Language",
    "Expires",
    "Last-Modified",
    "Pragma",
];

/// Adds what a browser asks for. `OPTIONS` is answered here: no resource has it.
pub(crate) async fn apply(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let rules = &app.rules.cors;
    if request.method() == Method::OPTIONS {
        let mut response = StatusCode::OK.into_response();
        response.headers_mut().extend(preflight(rules, request.headers()).unwrap_or_default());
        return response;
    }
    let allowed = text(request.headers(), &header::ORIGIN).and_then(|origin| rules.allowed(origin));
    let added = allowed.map(|origin| of_answer(rules, origin));
    let mut response = next.run(request).await;
    for (name, value) in
        added.into_iter().flatten().filter_map(|(name, value)| Some((name?, value)))
    {
        response.headers_mut().append(name, value);
    }
    response
}

/// What a browser may do next; `None` where it may not.
fn preflight(rules: &Cors, asked: &HeaderMap) -> Option<HeaderMap> {
    let origin = rules.allowed(text(asked, &header::ORIGIN)?)?;
    let method = text(asked, &header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let wanted: Vec<_> = text(asked, &header::ACCESS_CONTROL_REQUEST_HEADERS)
        .map(|list| list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
        .unwrap_or_default();
    let known = |name: &&&str| {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        rules.headers.iter().any(|header| same(header)) || SIMPLE.iter().any(|header| same(header))
    };
    if !rules.methods.iter().any(|allowed| allowed == method)
        || wanted.iter().filter(known).count() < wanted.len()
    {
        return None;
    }
    let mut answer = of_any(rules, origin);
    let mut add = |name: HeaderName, value: String| {
        answer.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    };
    if rules.max_age > 0 {
        add(header::ACCESS_CONTROL_MAX_AGE, rules.max_age.to_string());
    }
    add(header::ACCESS_CONTROL_ALLOW_METHODS, method.to_owned());
    if !wanted.is_empty() {
        add(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.join(","));
    }
    Some(answer)
}

fn of_answer(rules: &Cors, origin: &str) -> HeaderMap {
    let mut headers = of_any(rules, origin);
    if let Ok(exposed) = HeaderValue::try_from(rules.exposed.join(","))
        && !exposed.is_empty()
    {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    headers
}

fn of_any(rules: &Cors, origin: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    if rules.credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
    headers
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
