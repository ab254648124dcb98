//! `/v3/roles`.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::body::Wrapped;
use super::fields::Fields;
use super::filters::Filters;
use super::links;
use crate::builtin::BuiltIn;
use crate::builtin::bootstrap::new_id;
use crate::builtin::database::is_duplicate;
use crate::builtin::database::roles::{self, Role};
use crate::builtin::error::Problem;

/// Keystone's limit, in characters.
const MAX_NAME: usize = 255;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/roles", get(list).post(create))
        .route("/v3/roles/{id}", get(show).patch(update).delete(delete))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_roles")?;
    // Roles of one domain only are not kept here.
    let found = match filters.text("domain_id") {
        Some(_) => vec![],
        None => roles::list(&state.db, filters.text("name")).await?,
    };
    Ok(links::list(&state, &uri, "roles", found.into_iter().map(to_json)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:get_role")?;
    Ok(answer(&state, find(&state, &id).await?))
}

async fn create(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    body: Wrapped,
) -> Result<(StatusCode, Json<Value>), Problem> {
    bearer.admin("identity:create_role")?;
    let blank = Role { id: new_id(), name: String::new(), description: None };
    let role = changed(blank, body.fields("role")?)?;
    if role.name.is_empty() {
        return Err(Problem::missing("name", "role"));
    }
    roles::insert(&state.db, &role).await.map_err(|why| stored(why, &role))?;
    Ok((StatusCode::CREATED, answer(&state, role)))
}

async fn update(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
    body: Wrapped,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:update_role")?;
    let role = changed(find(&state, &id).await?, body.fields("role")?)?;
    let (db, changed) = (state.db.clone(), role.clone());
    state
        .change(
            async move { roles::update(&db, &changed).await.map_err(|why| stored(why, &changed)) },
        )
        .await?;
    Ok(answer(&state, role))
}

async fn delete(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:delete_role")?;
    find(&state, &id).await?;
    let db = state.db.clone();
    state.change(async move { Ok(roles::delete(&db, &id).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(state: &BuiltIn, id: &str) -> Result<Role, Problem> {
    roles::get(&state.db, id).await?.ok_or_else(|| Problem::not_found("role", id))
}

fn changed(role: Role, mut fields: Fields) -> Result<Role, Problem> {
    if fields.text("domain_id")?.flatten().is_some() {
        return Err(Problem::field("domain_id", "roles of one domain are not kept here"));
    }
    Ok(Role {
        name: fields.name("name", MAX_NAME)?.unwrap_or(role.name),
        description: fields.text("description")?.unwrap_or(role.description),
        id: role.id,
    })
}

fn stored(why: sqlx::Error, role: &Role) -> Problem {
    match is_duplicate(&why) {
        true => Problem::Duplicate { kind: "role", name: role.name.clone(), within: String::new() },
        false => why.into(),
    }
}

fn answer(state: &BuiltIn, role: Role) -> Json<Value> {
    links::item(state, "role", "roles", to_json(role))
}

pub(super) fn to_json(role: Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "domain_id": null,
        "options": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_role_is_created_shown_changed_and_deleted() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let list = cloud.get("/v3/roles", Some(&admin)).await;
        assert_eq!(list.names("roles"), ["admin", "manager", "member", "reader"]);
        let made = cloud.post("/v3/roles", Some(&admin), json!({"role": {"name": "r"}})).await;
        assert_eq!((made.status, &made.body["role"]["domain_id"]), (201, &Value::Null));
        let path = format!("/v3/roles/{}", made.id("role"));
        let body = json!({"role": {"name": "s", "description": "d"}});
        let changed = cloud.patch(&path, Some(&admin), body).await;
        assert_eq!((changed.status, &changed.body["role"]["description"]), (200, &json!("d")));
        assert_eq!(cloud.get(&path, Some(&admin)).await.body, changed.body);
        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
        assert_eq!(cloud.get(&path, Some(&admin)).await.status, 404);
    }

    #[tokio::test]
    async fn taken_names_and_roles_of_domains_are_refused() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let cases = [
            (json!({"role": {"name": "member"}}), 409),
            (json!({"role": {"name": "x", "domain_id": "default"}}), 400),
            (json!({"role": {}}), 400),
        ];
        for (body, status) in cases {
            let answer = cloud.post("/v3/roles", Some(&admin), body.clone()).await;
            assert_eq!(answer.error().0, status, "{body}");
        }
    }

    #[tokio::test]
    async fn only_administrators_work_with_roles() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, ..) = cloud.member(&admin).await;
        let path = format!("/v3/roles/{}", cloud.role(&admin, "admin").await);
        let (token, body) = (Some(member.as_str()), json!({"role": {"name": "r"}}));
        assert_eq!(cloud.get("/v3/roles", token).await.status, 403);
        assert_eq!(cloud.get(&path, token).await.status, 403);
        assert_eq!(cloud.post("/v3/roles", token, body.clone()).await.status, 403);
        assert_eq!(cloud.patch(&path, token, body).await.status, 403);
        assert_eq!(cloud.delete(&path, token).await.status, 403);
    }
}
