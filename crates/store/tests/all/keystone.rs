//! What the tests ask a Keystone for.

/// The id of the project `admin`, which the account is named by.
pub(crate) async fn project(auth: &str, password: &str) -> String {
    let domain = serde_json::json!({"id": "default"});
    let user = serde_json::json!({"name": "admin", "domain": domain, "password": password});
    let body = serde_json::json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "admin", "domain": domain}},
    }});
    let request = reqwest::Client::new().post(format!("{auth}/auth/tokens")).json(&body);
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    answer["token"]["project"]["id"].as_str().unwrap().to_owned()
}
