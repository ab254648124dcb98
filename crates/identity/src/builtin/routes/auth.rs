//! What a token's bearer may scope to, and where the services are.

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::links;
use crate::builtin::BuiltIn;
use crate::builtin::database::{domains, projects};
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/auth/catalog", get(catalog))
        .route("/v3/auth/projects", get(own_projects))
        .route("/v3/auth/domains", get(own_domains))
        .route("/v3/auth/system", get(own_system))
}

async fn catalog(State(state): State<BuiltIn>, bearer: Bearer) -> Result<Json<Value>, Problem> {
    if bearer.0.caller.project_id.is_none() {
        return Err(Problem::Refused(
            "A project-scoped token is required to produce a service catalog.",
        ));
    }
    let links = json!({"self": state.endpoints.identity_url("/v3/auth/catalog")});
    Ok(Json(json!({"catalog": state.endpoints.catalog(), "links": links})))
}

async fn own_projects(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let filter = projects::Filter {
        enabled: Some(true),
        of_user: Some(&bearer.0.caller.user_id),
        ..Default::default()
    };
    let found = projects::list(&state.db, filter).await?;
    Ok(links::list(&state, &uri, "projects", found.into_iter().map(super::projects::to_json)))
}

async fn own_domains(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let found = domains::of_user(&state.db, &bearer.0.caller.user_id).await?;
    Ok(links::list(&state, &uri, "domains", found.into_iter().map(super::domains::to_json)))
}

/// Nobody: tokens are not scoped to the system here.
async fn own_system(State(state): State<BuiltIn>, _: Bearer) -> Json<Value> {
    let own = state.endpoints.identity_url("/v3/auth/system");
    Json(json!({"system": [], "links": {"self": own}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_bearer_learns_where_it_may_go() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, _) = cloud.member(&admin).await;
        let projects = cloud.get("/v3/auth/projects", Some(&member)).await;
        assert_eq!(projects.names("projects"), ["demo"]);
        assert!(cloud.get("/v3/auth/domains", Some(&member)).await.names("domains").is_empty());
        let role = cloud.role(&admin, "reader").await;
        let path = format!("/v3/domains/default/users/{user}/roles/{role}");
        cloud.request("PUT", &path, Some(&admin), None).await;
        let domains = cloud.get("/v3/auth/domains", Some(&member)).await;
        assert_eq!(domains.names("domains"), ["Default"]);
        let system = cloud.get("/v3/auth/system", Some(&member)).await;
        assert_eq!(system.body["system"], json!([]));
    }

    #[tokio::test]
    async fn the_catalog_is_for_tokens_of_a_project() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let catalog = cloud.get("/v3/auth/catalog", Some(&admin)).await;
        assert_eq!(catalog.names("catalog"), ["keystone", "glance"]);
        let password = cloud.admin_password();
        let unscoped = cloud.login("admin", &password, Some(json!("unscoped"))).await;
        let token = Some(unscoped.header("x-subject-token"));
        assert_eq!(cloud.get("/v3/auth/catalog", token).await.status, 403);
    }
}
