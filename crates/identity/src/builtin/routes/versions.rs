//! Which versions are spoken here.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::builtin::BuiltIn;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/", get(versions))
        .route("/v3", get(version_3))
        .route("/v3/", get(version_3))
}

async fn versions(State(state): State<BuiltIn>) -> impl IntoResponse {
    let location = [(header::LOCATION, state.endpoints.identity_url("/v3/"))];
    let body = json!({"versions": {"values": [document(&state)]}});
    (StatusCode::MULTIPLE_CHOICES, location, Json(body))
}

async fn version_3(State(state): State<BuiltIn>) -> Json<Value> {
    Json(json!({"version": document(&state)}))
}

/// As Keystone has said since 2020.
fn document(state: &BuiltIn) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": state.endpoints.identity_url("/v3/")}],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}

#[cfg(test)]
mod tests {
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn the_list_is_a_choice_and_the_version_a_document() {
        let cloud = Cloud::new().await;
        assert_eq!(cloud.get("", None).await.status, 300);
        let list = cloud.get("/", None).await;
        assert_eq!(list.status, 300);
        assert_eq!(list.header("location"), "http://cloud.test/identity/v3/");
        let listed = &list.body["versions"]["values"][0];
        for path in ["/v3", "/v3/"] {
            let version = cloud.get(path, None).await;
            assert_eq!(version.status, 200);
            assert_eq!(&version.body["version"], listed);
        }
        assert_eq!(listed["links"][0]["href"], "http://cloud.test/identity/v3/");
    }

    #[tokio::test]
    async fn unknown_paths_and_methods_are_said_in_json() {
        let cloud = Cloud::new().await;
        assert_eq!(
            cloud.get("/v2.0", None).await.error(),
            (404, "The resource could not be found.")
        );
        let wrong = cloud.delete("/v3", None).await;
        assert_eq!(wrong.error(), (405, "The method is not allowed for the requested URL."));
        assert_eq!(wrong.header("allow"), "GET,HEAD");
    }
}
