//! `/v3/role_assignments`: who holds which role where.

use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::bearer::Bearer;
use super::filters::Filters;
use super::{domains, links, projects, roles, users};
use crate::builtin::BuiltIn;
use crate::builtin::database::assignments::{self, Assignment, Filter, Scope};
use crate::builtin::database::roles as stored_roles;
use crate::builtin::error::Problem;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/role_assignments", get(list))
}

/// Whether ids come with names.
#[derive(Clone, Copy)]
enum Show {
    Ids,
    Names,
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_role_assignments")?;
    let show = if filters.has("include_names") { Show::Names } else { Show::Ids };
    let mut found = Vec::new();
    for direct in direct_assignments(&state, &filters).await? {
        found.push(to_json(&state, &direct, None, show).await?);
        if filters.has("effective") {
            found.extend(implied(&state, &direct, show).await?);
        }
    }
    if let Some(role) = filters.text("role.id") {
        found.retain(|assignment| assignment["role"]["id"] == role);
    }
    Ok(links::page(&state, &uri, "role_assignments", found))
}

/// Groups, the system and inheritance are not kept here: asked for these, there are none.
async fn direct_assignments(
    state: &BuiltIn,
    filters: &Filters,
) -> Result<Vec<Assignment>, Problem> {
    let elsewhere = ["group.id", "scope.system", "scope.OS-INHERIT:inherited_to"];
    if elsewhere.iter().any(|key| filters.text(key).is_some()) {
        return Ok(vec![]);
    }
    let filter = Filter {
        user_id: filters.text("user.id"),
        project_id: filters.text("scope.project.id"),
        domain_id: filters.text("scope.domain.id"),
        role_id: None,
    };
    Ok(assignments::list(&state.db, filter).await?)
}

async fn implied(state: &BuiltIn, direct: &Assignment, show: Show) -> Result<Vec<Value>, Problem> {
    let mut found = Vec::new();
    for role in stored_roles::with_implied(&state.db, &direct.role_id).await? {
        if role.id != direct.role_id {
            let implied = Assignment { role_id: role.id, ..direct.clone() };
            found.push(to_json(state, &implied, Some(&direct.role_id), show).await?);
        }
    }
    Ok(found)
}

/// `prior` is the role that implies the assignment's.
async fn to_json(
    state: &BuiltIn,
    assignment: &Assignment,
    prior: Option<&str>,
    show: Show,
) -> Result<Value, Problem> {
    let mut links = Map::new();
    let held = prior.unwrap_or(&assignment.role_id);
    links.insert("assignment".to_owned(), link(state, assignment, held).into());
    if let Some(prior) = prior {
        let path = format!("/v3/roles/{prior}/implies/{}", assignment.role_id);
        links.insert("prior_role".to_owned(), state.endpoints.identity_url(&path).into());
    }
    let (role, user, scope) = match show {
        Show::Ids => ids(assignment),
        Show::Names => names(state, assignment).await?,
    };
    Ok(json!({"role": role, "user": user, "scope": scope, "links": links}))
}

fn link(state: &BuiltIn, assignment: &Assignment, role: &str) -> String {
    let place = match &assignment.scope {
        Scope::Project(id) => format!("projects/{id}"),
        Scope::Domain(id) => format!("domains/{id}"),
    };
    state.endpoints.identity_url(&format!("/v3/{place}/users/{}/roles/{role}", assignment.user_id))
}

fn ids(assignment: &Assignment) -> (Value, Value, Value) {
    let scope = match &assignment.scope {
        Scope::Project(id) => json!({"project": {"id": id}}),
        Scope::Domain(id) => json!({"domain": {"id": id}}),
    };
    (json!({"id": assignment.role_id}), json!({"id": assignment.user_id}), scope)
}

async fn names(state: &BuiltIn, held: &Assignment) -> Result<(Value, Value, Value), Problem> {
    let role = roles::find(state, &held.role_id).await?;
    let user = users::find(state, &held.user_id).await?;
    let home = domains::find(state, &user.domain_id).await?;
    let scope = match &held.scope {
        Scope::Domain(id) => {
            let domain = domains::find(state, id).await?;
            json!({"domain": {"id": domain.id, "name": domain.name}})
        }
        Scope::Project(id) => {
            let project = projects::find(state, id).await?;
            let domain = domains::find(state, &project.domain_id).await?;
            json!({"project": {
                "id": project.id,
                "name": project.name,
                "domain": {"id": domain.id, "name": domain.name},
            }})
        }
    };
    let home = json!({"id": home.id, "name": home.name});
    Ok((
        json!({"id": role.id, "name": role.name}),
        json!({"id": user.id, "name": user.name, "domain": home}),
        scope,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::{Answer, Cloud};

    fn roles(answer: &Answer) -> Vec<&str> {
        let list = answer.body["role_assignments"].as_array().unwrap();
        list.iter().map(|one| one["role"]["name"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn assignments_are_listed_by_ids_and_by_names() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (_, user, project) = cloud.member(&admin).await;
        let role = cloud.role(&admin, "member").await;
        let path = format!("/v3/role_assignments?user.id={user}");
        let link =
            format!("http://cloud.test/identity/v3/projects/{project}/users/{user}/roles/{role}");
        assert_eq!(
            cloud.get(&path, Some(&admin)).await.body["role_assignments"],
            json!([{
                "role": {"id": role}, "user": {"id": user}, "scope": {"project": {"id": project}},
                "links": {"assignment": link},
            }])
        );
        let home = json!({"id": "default", "name": "Default"});
        assert_eq!(
            cloud.get(&format!("{path}&include_names"), Some(&admin)).await.body["role_assignments"],
            json!([{
                "role": {"id": role, "name": "member"},
                "user": {"id": user, "name": "demo", "domain": home},
                "scope": {"project": {"id": project, "name": "demo", "domain": home}},
                "links": {"assignment": link},
            }])
        );
    }

    #[tokio::test]
    async fn assignments_are_filtered_and_implied_ones_shown() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (_, user, project) = cloud.member(&admin).await;
        let reader = cloud.role(&admin, "reader").await;
        let cases = [
            (String::new(), vec!["admin", "member"]),
            (format!("&user.id={user}"), vec!["member"]),
            (format!("&scope.project.id={project}"), vec!["member"]),
            (format!("&user.id={user}&effective"), vec!["member", "reader"]),
            (format!("&role.id={reader}"), vec![]),
            (format!("&role.id={reader}&effective=true"), vec!["reader", "reader"]),
            ("&scope.domain.id=default".to_owned(), vec![]),
            ("&group.id=any".to_owned(), vec![]),
            ("&scope.system=all".to_owned(), vec![]),
        ];
        for (query, expected) in cases {
            let path = format!("/v3/role_assignments?include_names=True{query}");
            let answer = cloud.get(&path, Some(&admin)).await;
            let mut found = roles(&answer);
            found.sort_unstable();
            assert_eq!(found, expected, "{query}");
        }
        let (member, _) = (cloud.login("demo", "secret", None).await, ());
        let token = member.header("x-subject-token");
        assert_eq!(cloud.get("/v3/role_assignments", Some(token)).await.status, 403);
    }
}
