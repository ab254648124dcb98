//! `/v3/users`.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::body::Wrapped;
use super::fields::Fields;
use super::filters::Filters;
use super::{domains, links};
use crate::builtin::BuiltIn;
use crate::builtin::bootstrap::new_id;
use crate::builtin::database::users::{self, User};
use crate::builtin::database::{is_duplicate, projects, tokens};
use crate::builtin::error::Problem;
use crate::builtin::login::MAX_PASSWORD;

/// Keystone's limit, in characters.
const MAX_NAME: usize = 255;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/users", get(list).post(create))
        .route("/v3/users/{id}", get(show).patch(update).delete(delete))
        .route("/v3/users/{id}/projects", get(own_projects))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_users")?;
    let filter = users::Filter {
        name: filters.text("name"),
        domain_id: filters.text("domain_id"),
        enabled: filters.flag("enabled"),
    };
    let found = users::list(&state.db, filter).await?;
    Ok(links::list(&state, &uri, "users", found.into_iter().map(to_json)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    bearer.admin_or(bearer.is_user(&id), "identity:get_user")?;
    Ok(answer(&state, find(&state, &id).await?))
}

async fn create(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    body: Wrapped,
) -> Result<(StatusCode, Json<Value>), Problem> {
    bearer.admin("identity:create_user")?;
    let mut fields = body.fields("user")?;
    let domain = domains::home(&state, &mut fields).await?;
    let user = changed(&state, blank(domain.id), fields).await?;
    if user.name.is_empty() {
        return Err(Problem::missing("name", "user"));
    }
    users::insert(&state.db, &user).await.map_err(|why| stored(why, &user))?;
    Ok((StatusCode::CREATED, answer(&state, user)))
}

async fn update(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
    body: Wrapped,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:update_user")?;
    let user = find(&state, &id).await?;
    let mut fields = body.fields("user")?;
    fields.unchanged("domain_id", &user.domain_id)?;
    let before = user.password_hash.clone();
    let user = changed(&state, user, fields).await?;
    let locked_out = !user.enabled || user.password_hash != before;
    store(&state, user.clone(), locked_out).await?;
    Ok(answer(&state, user))
}

/// Writes a changed user; with `locked_out`, its tokens end.
pub(super) async fn store(state: &BuiltIn, user: User, locked_out: bool) -> Result<(), Problem> {
    let db = state.db.clone();
    let work = async move {
        let mut transaction = db.begin().await?;
        users::update(&mut *transaction, &user).await.map_err(|why| stored(why, &user))?;
        if locked_out {
            tokens::delete_of_user(&mut *transaction, &user.id).await?;
        }
        Ok(transaction.commit().await?)
    };
    state.change(work).await
}

async fn delete(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:delete_user")?;
    find(&state, &id).await?;
    let db = state.db.clone();
    state.change(async move { Ok(users::delete(&db, &id).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn own_projects(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin_or(bearer.is_user(&id), "identity:list_user_projects")?;
    find(&state, &id).await?;
    let filter = projects::Filter {
        name: filters.text("name"),
        domain_id: filters.text("domain_id"),
        enabled: filters.flag("enabled"),
        of_user: Some(&id),
    };
    let found = projects::list(&state.db, filter).await?;
    Ok(links::list(&state, &uri, "projects", found.into_iter().map(super::projects::to_json)))
}

pub(super) async fn find(state: &BuiltIn, id: &str) -> Result<User, Problem> {
    users::get(&state.db, id).await?.ok_or_else(|| Problem::not_found("user", id))
}

fn blank(domain_id: String) -> User {
    User {
        id: new_id(),
        domain_id,
        name: String::new(),
        enabled: true,
        default_project_id: None,
        password_hash: None,
        extra: Default::default(),
    }
}

/// Unknown fields are kept, and those set to `null` are dropped.
async fn changed(state: &BuiltIn, user: User, mut fields: Fields) -> Result<User, Problem> {
    fields.unchanged("id", &user.id)?;
    fields.ignore(&["links", "options", "password_expires_at"]);
    Ok(User {
        name: fields.name("name", MAX_NAME)?.unwrap_or(user.name),
        enabled: fields.flag("enabled")?.unwrap_or(user.enabled),
        default_project_id: match fields.text("default_project_id")? {
            Some(id) => existing(state, id).await?,
            None => user.default_project_id,
        },
        password_hash: match fields.text("password")? {
            Some(password) => hashed(state, password).await?,
            None => user.password_hash,
        },
        extra: fields.merged_into(user.extra),
        id: user.id,
        domain_id: user.domain_id,
    })
}

async fn existing(state: &BuiltIn, project: Option<String>) -> Result<Option<String>, Problem> {
    let Some(id) = project else { return Ok(None) };
    let found = projects::get(&state.db, &id).await?;
    found.map(|project| Some(project.id)).ok_or_else(|| Problem::not_found("project", &id))
}

async fn hashed(state: &BuiltIn, password: Option<String>) -> Result<Option<String>, Problem> {
    let Some(password) = password else { return Ok(None) };
    Ok(Some(state.passwords.hash(acceptable(password)?).await?))
}

/// What can be somebody's password.
pub(super) fn acceptable(password: String) -> Result<String, Problem> {
    match password.len() {
        0 => Err(Problem::field("password", "it is too short")),
        length if length > MAX_PASSWORD => Err(Problem::field("password", "it is too long")),
        _ => Ok(password),
    }
}

fn stored(why: sqlx::Error, user: &User) -> Problem {
    match is_duplicate(&why) {
        true => Problem::Duplicate {
            kind: "user",
            name: user.name.clone(),
            within: format!(" at domain ID {}", user.domain_id),
        },
        false => why.into(),
    }
}

fn answer(state: &BuiltIn, user: User) -> Json<Value> {
    links::item(state, "user", "users", to_json(user))
}

fn to_json(user: User) -> Value {
    let mut fields = user.extra;
    fields.extend(
        [
            ("id", json!(user.id)),
            ("name", json!(user.name)),
            ("domain_id", json!(user.domain_id)),
            ("enabled", json!(user.enabled)),
            ("password_expires_at", Value::Null),
            ("options", json!({})),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    if let Some(id) = user.default_project_id {
        fields.insert("default_project_id".to_owned(), id.into());
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_user_is_created_shown_changed_and_deleted() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let body = json!({"user": {"name": "u", "password": "secret", "email": "u@cloud.test"}});
        let made = cloud.post("/v3/users", Some(&admin), body).await;
        assert_eq!(made.status, 201);
        let id = made.id("user");
        let path = format!("/v3/users/{id}");
        let expected = json!({
            "id": id, "name": "u", "email": "u@cloud.test", "domain_id": "default", "enabled": true,
            "password_expires_at": null, "options": {},
            "links": {"self": format!("http://cloud.test/identity{path}")},
        });
        assert_eq!(made.body["user"], expected);
        assert_eq!(cloud.get(&path, Some(&admin)).await.body["user"], expected);
        assert_eq!(
            cloud.get("/v3/users?name=u", Some(&admin)).await.body["users"],
            json!([expected])
        );

        let project = cloud.project(&admin, "p").await;
        let change = json!({"user": {"name": "v", "default_project_id": project}});
        let changed = cloud.patch(&path, Some(&admin), change).await;
        assert_eq!((changed.status, &changed.body["user"]["name"]), (200, &json!("v")));
        assert_eq!(changed.body["user"]["default_project_id"], project);

        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
        let gone = cloud.get(&path, Some(&admin)).await;
        assert_eq!(gone.error(), (404, format!("Could not find user: {id}.").as_str()));
    }

    #[tokio::test]
    async fn bad_fields_and_taken_names_are_refused() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let cases = [
            (json!({"user": {}}), 400),
            (json!({"user": {"name": 7}}), 400),
            (json!({"user": {"name": "n", "password": ""}}), 400),
            (json!({"user": {"name": "n", "password": "x".repeat(5000)}}), 400),
            (json!({"user": {"name": "n", "default_project_id": "missing"}}), 404),
            (json!({"user": {"name": "n", "domain_id": "missing"}}), 404),
            (json!({"user": {"name": "admin"}}), 409),
        ];
        for (body, status) in cases {
            let answer = cloud.post("/v3/users", Some(&admin), body.clone()).await;
            assert_eq!(answer.error().0, status, "{body}");
        }
        let taken = cloud.post("/v3/users", Some(&admin), json!({"user": {"name": "admin"}})).await;
        assert_eq!(
            taken.error().1,
            "Conflict occurred attempting to store user - Duplicate entry found with name admin at \
             domain ID default."
        );
    }

    #[tokio::test]
    async fn users_see_themselves_and_change_nothing() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, _) = cloud.member(&admin).await;
        let (own, token) = (format!("/v3/users/{user}"), Some(member.as_str()));
        assert_eq!(cloud.get(&own, token).await.status, 200);
        let projects = cloud.get(&format!("{own}/projects"), token).await;
        assert_eq!(projects.names("projects"), ["demo"]);
        let list = cloud.get("/v3/users", Some(&admin)).await;
        let root = list.body["users"][0]["id"].as_str().unwrap();
        assert_eq!(cloud.get(&format!("/v3/users/{root}"), token).await.status, 403);
        assert_eq!(cloud.get(&format!("/v3/users/{root}/projects"), token).await.status, 403);
        assert_eq!(cloud.get("/v3/users", token).await.status, 403);
        let body = json!({"user": {"name": "root"}});
        assert_eq!(cloud.post("/v3/users", token, body.clone()).await.status, 403);
        assert_eq!(cloud.patch(&own, token, body).await.status, 403);
        assert_eq!(cloud.delete(&own, token).await.status, 403);
    }

    #[tokio::test]
    async fn tokens_end_when_their_user_changes_password_is_disabled_or_deleted() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (token, user, _) = cloud.member(&admin).await;
        let path = format!("/v3/users/{user}");
        let alive = async |token: &str| cloud.get(&path, Some(token)).await.status == 200;
        assert!(alive(&token).await);
        let renamed = json!({"user": {"email": "other@cloud.test"}});
        assert_eq!(cloud.patch(&path, Some(&admin), renamed).await.status, 200);
        assert!(alive(&token).await);

        let password = json!({"user": {"password": "other"}});
        assert_eq!(cloud.patch(&path, Some(&admin), password).await.status, 200);
        assert!(!alive(&token).await);
        assert_eq!(cloud.login("demo", "secret", None).await.status, 401);

        for ending in [Some(json!({"user": {"enabled": false}})), None] {
            let enable = json!({"user": {"enabled": true}});
            assert_eq!(cloud.patch(&path, Some(&admin), enable).await.status, 200);
            let login = cloud.login("demo", "other", None).await;
            let token = login.header("x-subject-token");
            assert!(alive(token).await);
            match ending {
                Some(change) => cloud.patch(&path, Some(&admin), change).await,
                None => cloud.delete(&path, Some(&admin)).await,
            };
            assert!(!alive(token).await);
            assert_eq!(cloud.login("demo", "other", None).await.status, 401);
        }
    }
}
