//! What the tests ask a Keystone for.

use store::{Principal, Secret};

/// The id of the project `admin`, which the account is named by.
pub(crate) async fn project(auth: &str, password: &str) -> String {
    administrator(auth, password).await.project
}

/// The user `admin` in that project, with a token.
pub(crate) async fn administrator(auth: &str, password: &str) -> Principal {
    let domain = serde_json::json!({"id": "default"});
    let user = serde_json::json!({"name": "admin", "domain": domain, "password": password});
    let body = serde_json::json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "admin", "domain": domain}},
    }});
    let request = reqwest::Client::new().post(format!("{auth}/auth/tokens")).json(&body);
    let answer = request.send().await.unwrap();
    let token = Secret::new(answer.headers()["x-subject-token"].to_str().unwrap());
    let answer: serde_json::Value = answer.json().await.unwrap();
    let project = answer["token"]["project"]["id"].as_str().unwrap().to_owned();
    Principal { token, project }
}
