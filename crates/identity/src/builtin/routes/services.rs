//! `/v3/services`: what the catalog names, read only.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::filters::Filters;
use super::links;
use crate::builtin::BuiltIn;
use crate::builtin::endpoints::Service;
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/services", get(list)).route("/v3/services/{id}", get(show))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_services")?;
    let services = state.endpoints.services();
    let wanted = services.iter().filter(|service| {
        filters.text("type").is_none_or(|kind| kind == service.kind)
            && filters.text("name").is_none_or(|name| name == service.name)
    });
    Ok(links::list(&state, &uri, "services", wanted.map(to_json)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:get_service")?;
    let services = state.endpoints.services();
    let found = services.iter().find(|service| service.id == id);
    let found = found.ok_or_else(|| Problem::not_found("service", &id))?;
    Ok(links::item(&state, "service", "services", to_json(found)))
}

fn to_json(service: &Service) -> Value {
    json!({
        "id": service.id,
        "type": service.kind,
        "name": service.name,
        "description": "",
        "enabled": true,
    })
}

#[cfg(test)]
mod tests {
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn services_and_their_endpoints_are_listed_filtered_and_shown() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let services = cloud.get("/v3/services", Some(&admin)).await;
        assert_eq!(services.names("services"), ["keystone", "glance"]);
        let image = cloud.get("/v3/services?type=image", Some(&admin)).await;
        assert_eq!(image.names("services"), ["glance"]);
        let id = image.body["services"][0]["id"].as_str().unwrap();
        let shown = cloud.get(&format!("/v3/services/{id}"), Some(&admin)).await;
        assert_eq!(shown.body["service"], image.body["services"][0]);

        let path = format!("/v3/endpoints?service_id={id}&interface=public");
        let endpoints = cloud.get(&path, Some(&admin)).await;
        let found = endpoints.body["endpoints"].as_array().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["url"], "http://cloud.test");
        let id = found[0]["id"].as_str().unwrap();
        let shown = cloud.get(&format!("/v3/endpoints/{id}"), Some(&admin)).await;
        assert_eq!(shown.body["endpoint"], found[0]);
    }

    #[tokio::test]
    async fn unknown_ones_are_404_and_members_are_forbidden() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, ..) = cloud.member(&admin).await;
        for path in ["/v3/services", "/v3/endpoints"] {
            let one = format!("{path}/missing");
            assert_eq!(cloud.get(&one, Some(&admin)).await.error().0, 404, "{one}");
            assert_eq!(cloud.get(path, Some(&member)).await.error().0, 403, "{path}");
            assert_eq!(cloud.get(&one, Some(&member)).await.error().0, 403, "{one}");
        }
    }
}
