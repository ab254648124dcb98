//! Which roles come with which, read only.

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::{links, roles};
use crate::builtin::BuiltIn;
use crate::builtin::database::roles::{self as stored, Role};
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/role_inferences", get(list))
        .route("/v3/roles/{prior}/implies", get(of_role))
        .route("/v3/roles/{prior}/implies/{implied}", get(show))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_role_inference_rules")?;
    let mut found = Vec::new();
    for prior in stored::list(&state.db, None).await? {
        let implied = stored::implied_by(&state.db, &prior.id).await?;
        if !implied.is_empty() {
            found.push(inference(&state, &prior, &implied));
        }
    }
    Ok(links::page(&state, &uri, "role_inferences", found))
}

async fn of_role(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(prior): Path<String>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_implied_roles")?;
    let prior = roles::find(&state, &prior).await?;
    let implied = stored::implied_by(&state.db, &prior.id).await?;
    Ok(answer(&state, &uri, inference(&state, &prior, &implied)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path((prior, implied)): Path<(String, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:get_implied_role")?;
    let prior = roles::find(&state, &prior).await?;
    let all = stored::implied_by(&state.db, &prior.id).await?;
    let found = all.iter().find(|role| role.id == implied);
    let found = found.ok_or_else(|| Problem::not_found("implied role", &implied))?;
    let one = json!({"prior_role": named(&state, &prior), "implies": named(&state, found)});
    Ok(answer(&state, &uri, one))
}

fn inference(state: &BuiltIn, prior: &Role, implied: &[Role]) -> Value {
    let implies: Vec<_> = implied.iter().map(|role| named(state, role)).collect();
    json!({"prior_role": named(state, prior), "implies": implies})
}

fn named(state: &BuiltIn, role: &Role) -> Value {
    links::linked(state, "roles", json!({"id": role.id, "name": role.name}))
}

fn answer(state: &BuiltIn, uri: &Uri, inference: Value) -> Json<Value> {
    let own = state.endpoints.identity_url(&uri.to_string());
    Json(json!({"role_inference": inference, "links": {"self": own}}))
}

#[cfg(test)]
mod tests {
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn each_role_brings_the_next() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let list = cloud.get("/v3/role_inferences", Some(&admin)).await;
        let pairs: Vec<_> = list.body["role_inferences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["prior_role"]["name"].as_str(), one["implies"][0]["name"].as_str()))
            .collect();
        let expected = [("admin", "manager"), ("manager", "member"), ("member", "reader")];
        assert_eq!(pairs, expected.map(|(prior, implied)| (Some(prior), Some(implied))));
    }

    #[tokio::test]
    async fn the_links_of_effective_assignments_lead_here() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, _) = cloud.member(&admin).await;
        let path = format!("/v3/role_assignments?effective&user.id={user}");
        let list = cloud.get(&path, Some(&admin)).await;
        let link = list.body["role_assignments"][1]["links"]["prior_role"].as_str().unwrap();
        let path = link.strip_prefix("http://cloud.test/identity").unwrap();
        let shown = cloud.get(path, Some(&admin)).await;
        assert_eq!(shown.body["role_inference"]["implies"]["name"], "reader");
        assert_eq!(cloud.get(path, Some(&member)).await.status, 403);

        let all = path.rsplit_once('/').unwrap().0;
        let listed = cloud.get(all, Some(&admin)).await;
        assert_eq!(listed.body["role_inference"]["prior_role"]["name"], "member");
        assert_eq!(cloud.get(&format!("{all}/missing"), Some(&admin)).await.error().0, 404);
    }
}
