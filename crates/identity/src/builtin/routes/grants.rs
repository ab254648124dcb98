//! `/v3/{projects,domains}/{id}/users/{user}/roles`: giving roles and taking them.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::Value;

use super::bearer::Bearer;
use super::{domains, links, projects, roles, users};
use crate::builtin::BuiltIn;
use crate::builtin::database::assignments::{self, Assignment, Filter, Scope};
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/{kind}/{id}/users/{user}/roles", get(list))
        .route("/v3/{kind}/{id}/users/{user}/roles/{role}", put(grant).get(check).delete(revoke))
}

/// What of which user: the path.
type OfUser = (String, String, String);
/// With the role.
type OfRole = (String, String, String, String);

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path((kind, id, user)): Path<OfUser>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_grants")?;
    users::find(&state, &user).await?;
    let scope = find_scope(&state, &kind, id).await?;
    let filter = Filter {
        user_id: Some(&user),
        project_id: scope.project(),
        domain_id: scope.domain(),
        role_id: None,
    };
    let mut found = Vec::new();
    for assignment in assignments::list(&state.db, filter).await? {
        found.push(roles::to_json(roles::find(&state, &assignment.role_id).await?));
    }
    Ok(links::list(&state, &uri, "roles", found))
}

async fn grant(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(path): Path<OfRole>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:create_grant")?;
    let assignment = find(&state, path).await?;
    let db = state.db.clone();
    state.change(async move { Ok(assignments::insert(&db, &assignment).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(path): Path<OfRole>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:check_grant")?;
    let wanted = find(&state, path).await?;
    let filter = Filter {
        user_id: Some(&wanted.user_id),
        project_id: wanted.scope.project(),
        domain_id: wanted.scope.domain(),
        role_id: Some(&wanted.role_id),
    };
    match assignments::list(&state.db, filter).await?.is_empty() {
        true => Err(missing(&wanted)),
        false => Ok(StatusCode::NO_CONTENT),
    }
}

async fn revoke(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(path): Path<OfRole>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:revoke_grant")?;
    let assignment = find(&state, path).await?;
    let (db, gone) = (state.db.clone(), assignment.clone());
    match state.change(async move { Ok(assignments::delete(&db, &gone).await?) }).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing(&assignment)),
    }
}

async fn find(state: &BuiltIn, path: OfRole) -> Result<Assignment, Problem> {
    let (kind, id, user, role) = path;
    let scope = find_scope(state, &kind, id).await?;
    let user_id = users::find(state, &user).await?.id;
    let role_id = roles::find(state, &role).await?.id;
    Ok(Assignment { user_id, scope, role_id })
}

async fn find_scope(state: &BuiltIn, kind: &str, id: String) -> Result<Scope, Problem> {
    match kind {
        "projects" => Ok(Scope::Project(projects::find(state, &id).await?.id)),
        "domains" => Ok(Scope::Domain(domains::find(state, &id).await?.id)),
        _ => Err(Problem::NoSuchPath),
    }
}

fn missing(assignment: &Assignment) -> Problem {
    let Assignment { user_id, role_id, scope } = assignment;
    let place = match scope {
        Scope::Project(id) => format!("project {id}"),
        Scope::Domain(id) => format!("domain {id}"),
    };
    let id = format!("role {role_id} of user {user_id} on {place}");
    Problem::NotFound { kind: "role assignment", id }
}

#[cfg(test)]
mod tests {
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_role_is_given_seen_and_taken() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (_, user, project) = cloud.member(&admin).await;
        let reader = cloud.role(&admin, "reader").await;
        for place in [format!("projects/{project}"), "domains/default".to_owned()] {
            let path = format!("/v3/{place}/users/{user}/roles/{reader}");
            assert_eq!(cloud.get(&path, Some(&admin)).await.status, 404);
            for _ in 0..2 {
                assert_eq!(cloud.request("PUT", &path, Some(&admin), None).await.status, 204);
            }
            for method in ["GET", "HEAD"] {
                assert_eq!(cloud.request(method, &path, Some(&admin), None).await.status, 204);
            }
            let list = cloud.get(&format!("/v3/{place}/users/{user}/roles"), Some(&admin)).await;
            assert!(list.names("roles").contains(&"reader"), "{}", list.body);
            assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
            assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 404);
        }
    }

    #[tokio::test]
    async fn a_token_has_the_roles_of_the_moment() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, project) = cloud.member(&admin).await;
        let roles = format!("/v3/projects/{project}/users/{user}/roles");
        let (high, low) = (cloud.role(&admin, "admin").await, cloud.role(&admin, "member").await);
        assert_eq!(cloud.get("/v3/users", Some(&member)).await.status, 403);
        let path = format!("{roles}/{high}");
        assert_eq!(cloud.request("PUT", &path, Some(&admin), None).await.status, 204);
        assert_eq!(cloud.get("/v3/users", Some(&member)).await.status, 200);
        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
        assert_eq!(cloud.get("/v3/users", Some(&member)).await.status, 403);
        // Without any role there it opens nothing.
        assert_eq!(cloud.delete(&format!("{roles}/{low}"), Some(&admin)).await.status, 204);
        assert_eq!(cloud.get("/v3/users", Some(&member)).await.status, 401);
    }

    #[tokio::test]
    async fn what_is_not_there_is_404_and_members_are_forbidden() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, project) = cloud.member(&admin).await;
        let role = cloud.role(&admin, "member").await;
        let missing = [
            format!("/v3/projects/x/users/{user}/roles/{role}"),
            format!("/v3/projects/{project}/users/x/roles/{role}"),
            format!("/v3/projects/{project}/users/{user}/roles/x"),
            format!("/v3/planets/{project}/users/{user}/roles/{role}"),
        ];
        for path in missing {
            let answer = cloud.request("PUT", &path, Some(&admin), None).await;
            assert_eq!(answer.error().0, 404, "{path}");
        }
        let list = format!("/v3/projects/{project}/users/{user}/roles");
        let path = format!("{list}/{role}");
        assert_eq!(cloud.get(&list, Some(&member)).await.status, 403);
        for method in ["PUT", "GET", "DELETE"] {
            let answer = cloud.request(method, &path, Some(&member), None).await;
            assert_eq!(answer.error().0, 403, "{method}");
        }
    }
}
