//! Against a small server that answers as Keystone's API reference says.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use config::Config;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::settings::PATIENCE;
use super::*;

/// What Keystone was asked.
#[derive(Default)]
struct Told {
    /// The bodies of requests for a token; only the latest token is good.
    logins: Vec<Value>,
    /// Paths and queries of the questions for services and endpoints.
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Told>>;

async fn keystone() -> (String, Shared) {
    let told = Shared::default();
    let router = Router::new()
        .route("/v3/auth/tokens", post(login))
        .route("/v3/endpoints/e1", get(endpoint))
        .route("/v3/services", get(services))
        .route("/v3/endpoints", get(endpoints))
        .route("/v3/registered_limits", get(registered))
        .route("/v3/limits", get(project))
        .with_state(Arc::clone(&told));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, told)
}

async fn login(State(told): State<Shared>, Json(body): Json<Value>) -> Response {
    if body["auth"]["identity"]["password"]["user"]["password"] != "secret" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut told = told.lock().unwrap();
    told.logins.push(body);
    let token = format!("t{}", told.logins.len());
    ([("X-Subject-Token", token)], Json(json!({}))).into_response()
}

fn known(told: &Shared, headers: &HeaderMap) -> bool {
    headers["X-Auth-Token"] == format!("t{}", told.lock().unwrap().logins.len())
}

async fn endpoint(State(told): State<Shared>, headers: HeaderMap) -> Response {
    if !known(&told, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "endpoint": { "service_id": "s1", "region_id": "r1" } })).into_response()
}

async fn services(State(told): State<Shared>, OriginalUri(uri): OriginalUri) -> Json<Value> {
    told.lock().unwrap().asked.push(uri.to_string());
    Json(json!({ "services": [{ "id": "s1" }] }))
}

async fn endpoints(State(told): State<Shared>, OriginalUri(uri): OriginalUri) -> Json<Value> {
    told.lock().unwrap().asked.push(uri.to_string());
    Json(json!({ "endpoints": [{ "service_id": "s1", "region_id": "r1" }] }))
}

async fn registered(
    State(told): State<Shared>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if !known(&told, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!((query["service_id"].as_str(), query["region_id"].as_str()), ("s1", "r1"));
    let limit = |name, limit| json!({ "resource_name": name, "default_limit": limit });
    Json(json!({ "registered_limits": [limit("a", 1), limit("b", -1)] })).into_response()
}

async fn project(Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let own = json!([{ "resource_name": "a", "resource_limit": 7 }]);
    Json(json!({ "limits": if query["project_id"] == "p" { own } else { json!([]) } }))
}

fn configured(url: &str, options: &str) -> UnifiedLimits {
    let mut config = Config::default();
    let text = format!("[oslo_limit]\nauth_url = {url}\n{options}\n");
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    UnifiedLimits::new(Settings::from_config(&config).unwrap()).unwrap()
}

fn limits(url: &str, password: &str) -> UnifiedLimits {
    configured(url, &format!("username = glance\npassword = {password}\nendpoint_id = e1"))
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
    let (url, told) = keystone().await;
    let limits = limits(&url, "secret");
    limits.of("p").await.unwrap();
    told.lock().unwrap().logins.push(Value::Null);
    assert_eq!(pairs(&limits.of("q").await.unwrap()), [("a", 1), ("b", -1)]);
    assert_eq!(told.lock().unwrap().logins.len(), 3);
}

#[tokio::test]
async fn a_password_that_is_wrong_is_told_without_it() {
    let (url, _) = keystone().await;
    let error = limits(&url, "not-the-word").of("p").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 401, .. }), "{error}");
    assert!(!error.to_string().contains("not-the-word"));
}

/// What a service says that has such options, whom nobody answers at this place.
async fn failure(listener: &TcpListener, options: &str) -> String {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = format!("user_id = u\npassword = secret\nendpoint_id = e1\n{options}");
    configured(&url, &options).of("p").await.unwrap_err().to_string()
}

#[tokio::test]
async fn an_answer_is_waited_for_as_long_as_options_say() {
    // Connections come about, and nobody takes them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = failure(&listener, "timeout = 1");
    let said = tokio::time::timeout(PATIENCE / 2, asked).await.unwrap();
    assert!(said.contains("can't be had"), "{said}");
}

#[test]
fn authorities_that_are_not_there_are_named() {
    let mut config = Config::default();
    let text = "[oslo_limit]\nauth_url = https://k\nuser_id = u\npassword = p\n\
                cafile = /nowhere/ca.pem\n";
    config.add_text(text, Path::new("glance-api.conf")).unwrap();
    let error = UnifiedLimits::new(Settings::from_config(&config).unwrap()).unwrap_err();
    assert!(error.to_string().contains("[oslo_limit] cafile /nowhere/ca.pem"), "{error}");
}

#[tokio::test]
async fn limits_are_those_of_the_endpoint_that_options_name() {
    for (options, service, endpoint) in [
        ("endpoint_service_type = image", "type=image", "service_id=s1&interface=public"),
        ("endpoint_service_name = glance", "name=glance", "service_id=s1&interface=public"),
        (
            "endpoint_service_type = image\nendpoint_service_name = glance\n\
             endpoint_region_name = r1\nendpoint_interface = internalURL",
            "type=image&name=glance",
            "service_id=s1&region_id=r1&interface=internal",
        ),
    ] {
        let (url, told) = keystone().await;
        let limits = configured(&url, &format!("user_id = u\npassword = secret\n{options}"));
        assert_eq!(pairs(&limits.of("p").await.unwrap()), [("a", 7), ("b", -1)]);
        let asked = [format!("/v3/services?{service}"), format!("/v3/endpoints?{endpoint}")];
        assert_eq!(told.lock().unwrap().asked, asked, "{options}");
    }
    let (url, _) = keystone().await;
    let unnamed = configured(&url, "user_id = u\npassword = secret").of("p").await.unwrap_err();
    assert!(unnamed.to_string().contains("set endpoint_id"), "{unnamed}");
}

#[tokio::test]
async fn the_service_asks_as_who_the_options_say() {
    let glance = json!({ "name": "glance", "domain": { "id": "default" } });
    let of_domain = json!({ "name": "glance", "domain": { "name": "D" } });
    let project = |domain: Value| json!({ "project": { "name": "service", "domain": domain } });
    for (options, user, scope) in [
        ("user_id = u", json!({ "id": "u" }), Value::Null),
        ("username = glance", glance.clone(), Value::Null),
        ("username = glance\nuser_domain_name = D", of_domain, Value::Null),
        ("username = glance\nuser_domain_id = default", glance.clone(), Value::Null),
        ("user_id = u\nproject_id = p", json!({ "id": "u" }), json!({ "project": { "id": "p" } })),
        (
            "username = glance\nproject_name = service",
            glance.clone(),
            project(json!({ "id": "default" })),
        ),
        (
            "username = glance\nproject_name = service\nproject_domain_id = d",
            glance.clone(),
            project(json!({ "id": "d" })),
        ),
        (
            "username = glance\nproject_name = service\nproject_domain_name = D",
            glance.clone(),
            project(json!({ "name": "D" })),
        ),
        ("username = glance\ndomain_id = d", glance.clone(), json!({ "domain": { "id": "d" } })),
        (
            "username = glance\ndomain_name = D",
            glance.clone(),
            json!({ "domain": { "name": "D" } }),
        ),
        (
            "username = glance\nsystem_scope = all\nproject_id = p",
            glance,
            json!({ "system": { "all": true } }),
        ),
    ] {
        let (url, told) = keystone().await;
        let options = format!("password = secret\nendpoint_id = e1\n{options}");
        configured(&url, &options).of("p").await.unwrap();
        let login = told.lock().unwrap().logins[0]["auth"].take();
        let mut expected = user;
        expected["password"] = json!("secret");
        assert_eq!(login["identity"]["password"]["user"], expected, "{options}");
        assert_eq!(login["scope"], scope, "{options}");
    }
}
