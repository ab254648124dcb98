//! `/v3/domains`.

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
use crate::builtin::database::domains::{self, DEFAULT_ID, Domain};
use crate::builtin::database::{is_duplicate, tokens};
use crate::builtin::error::Problem;

/// Keystone's limit, in characters.
const MAX_NAME: usize = 64;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/domains", get(list).post(create))
        .route("/v3/domains/{id}", get(show).patch(update).delete(delete))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_domains")?;
    let found = domains::list(&state.db, filters.text("name"), filters.flag("enabled")).await?;
    Ok(links::list(&state, &uri, "domains", found.into_iter().map(to_json)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let own = bearer.0.caller.project_domain_id.as_ref() == Some(&id)
        || bearer.0.caller.domain_id.as_ref() == Some(&id);
    bearer.admin_or(own, "identity:get_domain")?;
    Ok(answer(&state, find(&state, &id).await?))
}

async fn create(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    body: Wrapped,
) -> Result<(StatusCode, Json<Value>), Problem> {
    bearer.admin("identity:create_domain")?;
    let fresh =
        Domain { id: new_id(), name: String::new(), description: String::new(), enabled: true };
    let domain = changed(fresh, body.fields("domain")?)?;
    if domain.name.is_empty() {
        return Err(Problem::missing("name", "domain"));
    }
    domains::insert(&state.db, &domain).await.map_err(|why| stored(why, &domain))?;
    Ok((StatusCode::CREATED, answer(&state, domain)))
}

async fn update(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
    body: Wrapped,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:update_domain")?;
    let domain = changed(find(&state, &id).await?, body.fields("domain")?)?;
    let (db, changed) = (state.db.clone(), domain.clone());
    state
        .change(async move {
            domains::update(&db, &changed).await.map_err(|why| stored(why, &changed))?;
            if !changed.enabled {
                tokens::delete_of_domain(&db, &changed.id).await?;
            }
            Ok(())
        })
        .await?;
    Ok(answer(&state, domain))
}

async fn delete(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:delete_domain")?;
    if find(&state, &id).await?.enabled {
        return Err(Problem::Refused(
            "Cannot delete a domain that is enabled, please disable it first.",
        ));
    }
    let db = state.db.clone();
    state.change(async move { Ok(domains::delete(&db, &id).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(state: &BuiltIn, id: &str) -> Result<Domain, Problem> {
    domains::get(&state.db, id).await?.ok_or_else(|| Problem::not_found("domain", id))
}

/// The domain that something new is made in.
pub(super) async fn home(state: &BuiltIn, fields: &mut Fields) -> Result<Domain, Problem> {
    let id = fields.text("domain_id")?.flatten();
    find(state, id.as_deref().unwrap_or(DEFAULT_ID)).await
}

fn changed(domain: Domain, mut fields: Fields) -> Result<Domain, Problem> {
    Ok(Domain {
        name: fields.name("name", MAX_NAME)?.unwrap_or(domain.name),
        description: fields
            .text("description")?
            .map_or(domain.description, Option::unwrap_or_default),
        enabled: fields.flag("enabled")?.unwrap_or(domain.enabled),
        id: domain.id,
    })
}

fn stored(why: sqlx::Error, domain: &Domain) -> Problem {
    match is_duplicate(&why) {
        true => {
            Problem::Duplicate { kind: "domain", name: domain.name.clone(), within: String::new() }
        }
        false => why.into(),
    }
}

fn answer(state: &BuiltIn, domain: Domain) -> Json<Value> {
    links::item(state, "domain", "domains", to_json(domain))
}

pub(super) fn to_json(domain: Domain) -> Value {
    json!({
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "tags": [],
        "options": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_domain_is_created_changed_and_deleted_once_disabled() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let made = cloud.post("/v3/domains", Some(&admin), json!({"domain": {"name": "d"}})).await;
        assert_eq!(made.status, 201);
        let path = format!("/v3/domains/{}", made.id("domain"));
        let list = cloud.get("/v3/domains", Some(&admin)).await;
        assert_eq!(list.names("domains"), ["Default", "d"]);
        assert_eq!(
            cloud.delete(&path, Some(&admin)).await.error(),
            (403, "Cannot delete a domain that is enabled, please disable it first.")
        );
        let off = json!({"domain": {"enabled": false}});
        assert_eq!(cloud.patch(&path, Some(&admin), off).await.status, 200);
        assert_eq!(cloud.get("/v3/domains?enabled=0", Some(&admin)).await.names("domains"), ["d"]);
        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
        assert_eq!(cloud.get(&path, Some(&admin)).await.status, 404);
    }

    #[tokio::test]
    async fn names_are_unique_within_a_domain_only() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let domain = json!({"domain": {"name": "d"}});
        let id = cloud.post("/v3/domains", Some(&admin), domain.clone()).await.id("domain");
        assert_eq!(cloud.post("/v3/domains", Some(&admin), domain).await.status, 409);
        let project = json!({"project": {"name": "admin", "domain_id": id}});
        assert_eq!(cloud.post("/v3/projects", Some(&admin), project.clone()).await.status, 201);
        assert_eq!(cloud.post("/v3/projects", Some(&admin), project).await.status, 409);
    }

    #[tokio::test]
    async fn tokens_end_with_the_domain_of_their_user() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let domain = json!({"domain": {"name": "d"}});
        let id = cloud.post("/v3/domains", Some(&admin), domain).await.id("domain");
        let user = json!({"user": {"name": "u", "password": "secret", "domain_id": id}});
        let user = cloud.post("/v3/users", Some(&admin), user).await.id("user");
        let credentials = json!({"user": {"id": user, "password": "secret"}});
        let identity = json!({"methods": ["password"], "password": credentials});
        let body = json!({"auth": {"identity": identity}});
        let login = cloud.post("/v3/auth/tokens", None, body.clone()).await;
        let token = Some(login.header("x-subject-token"));
        assert_eq!(cloud.get("/v3/auth/projects", token).await.status, 200);
        let off = json!({"domain": {"enabled": false}});
        cloud.patch(&format!("/v3/domains/{id}"), Some(&admin), off).await;
        assert_eq!(cloud.get("/v3/auth/projects", token).await.status, 401);
        assert_eq!(cloud.post("/v3/auth/tokens", None, body).await.status, 401);
    }

    #[tokio::test]
    async fn members_see_their_own_domain() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, ..) = cloud.member(&admin).await;
        assert_eq!(cloud.get("/v3/domains/default", Some(&member)).await.status, 200);
        assert_eq!(cloud.get("/v3/domains/other", Some(&member)).await.status, 403);
        assert_eq!(cloud.get("/v3/domains", Some(&member)).await.status, 403);
    }
}
