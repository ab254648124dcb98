//! Against a small server that answers as Keystone's API reference says.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use config::Config;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// How many tokens were given; only the latest is good.
type Logins = Arc<AtomicUsize>;

async fn keystone() -> (String, Logins) {
    let logins = Logins::default();
    let router = Router::new()
        .route("/v3/auth/tokens", post(login))
        .route("/v3/endpoints/e1", get(endpoint))
        .route("/v3/registered_limits", get(registered))
        .route("/v3/limits", get(project))
        .with_state(Arc::clone(&logins));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, logins)
}

async fn login(State(logins): State<Logins>, Json(body): Json<Value>) -> Response {
    if body["auth"]["identity"]["password"]["user"]["password"] != "secret" {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
    ([("X-Subject-Token", format!("t{number}"))], Json(json!({}))).into_response()
}

fn known(logins: &Logins, headers: &axum::http::HeaderMap) -> bool {
    headers["X-Auth-Token"] == format!("t{}", logins.load(Ordering::SeqCst))
}

async fn endpoint(State(logins): State<Logins>, headers: axum::http::HeaderMap) -> Response {
    if !known(&logins, &headers) {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "endpoint": { "service_id": "s1", "region_id": "r1" } })).into_response()
}

async fn registered(
    State(logins): State<Logins>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: axum::http::HeaderMap,
) -> Response {
    if !known(&logins, &headers) {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!((query["service_id"].as_str(), query["region_id"].as_str()), ("s1", "r1"));
    let limit = |name, limit| json!({ "resource_name": name, "default_limit": limit });
    Json(json!({ "registered_limits": [limit("a", 1), limit("b", -1)] })).into_response()
}

async fn project(Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let own = json!([{ "resource_name": "a", "resource_limit": 7 }]);
    Json(json!({ "limits": if query["project_id"] == "p" { own } else { json!([]) } }))
}

fn limits(url: &str, password: &str) -> UnifiedLimits {
    let text = format!(
        "[oslo_limit]\nauth_url = {url}\nusername = glance\npassword = {password}\nendpoint_id = e1\n"
    );
    let mut config = Config::default();
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    UnifiedLimits::new(Settings::from_config(&config).unwrap()).unwrap()
}

fn pairs(limits: &Limits) -> Vec<(&str, i64)> {
    limits.iter().map(|(name, limit)| (name.as_str(), *limit)).collect()
}

#[tokio::test]
async fn a_projects_own_limit_goes_before_that_of_all() {
    let (url, _) = keystone().await;
    let limits = limits(&url, "secret");
    assert_eq!(pairs(&limits.of("p").await.unwrap()), [("a", 7), ("b", -1)]);
    assert_eq!(pairs(&limits.of("q").await.unwrap()), [("a", 1), ("b", -1)]);
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed() {
    let (url, logins) = keystone().await;
    let limits = limits(&url, "secret");
    limits.of("p").await.unwrap();
    logins.fetch_add(1, Ordering::SeqCst);
    assert_eq!(pairs(&limits.of("q").await.unwrap()), [("a", 1), ("b", -1)]);
    assert_eq!(logins.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_password_that_is_wrong_is_told_without_it() {
    let (url, _) = keystone().await;
    let error = limits(&url, "not-the-word").of("p").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 401, .. }), "{error}");
    assert!(!error.to_string().contains("not-the-word"));
}
