//! `/v3/projects`.

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
use crate::builtin::database::projects::{self, Project};
use crate::builtin::database::{is_duplicate, tokens};
use crate::builtin::error::Problem;

/// Keystone's limit, in characters.
const MAX_NAME: usize = 64;

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new()
        .route("/v3/projects", get(list).post(create))
        .route("/v3/projects/{id}", get(show).patch(update).delete(delete))
}

async fn list(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:list_projects")?;
    if filters.has("is_domain") {
        return Ok(links::list(&state, &uri, "projects", []));
    }
    let filter = projects::Filter {
        name: filters.text("name"),
        // Projects are not nested: the parent of each is its domain.
        domain_id: filters.text("domain_id").or(filters.text("parent_id")),
        enabled: filters.flag("enabled"),
        of_user: None,
    };
    let found = projects::list(&state.db, filter).await?;
    Ok(links::list(&state, &uri, "projects", found.into_iter().map(to_json)))
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    bearer.admin_or(bearer.is_in_project(&id), "identity:get_project")?;
    Ok(answer(&state, find(&state, &id).await?))
}

async fn create(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    body: Wrapped,
) -> Result<(StatusCode, Json<Value>), Problem> {
    bearer.admin("identity:create_project")?;
    let mut fields = body.fields("project")?;
    let domain = match domains::home(&state, &mut fields).await {
        // Keystone says 400 here, and 404 for users.
        Err(Problem::NotFound { .. }) => return Err(Problem::field("domain_id", "no such domain")),
        found => found?,
    };
    let project = changed(blank(domain.id), fields)?;
    if project.name.is_empty() {
        return Err(Problem::missing("name", "project"));
    }
    projects::insert(&state.db, &project).await.map_err(|why| stored(why, &project))?;
    Ok((StatusCode::CREATED, answer(&state, project)))
}

async fn update(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
    body: Wrapped,
) -> Result<Json<Value>, Problem> {
    bearer.admin("identity:update_project")?;
    let project = find(&state, &id).await?;
    let mut fields = body.fields("project")?;
    fields.unchanged("domain_id", &project.domain_id)?;
    let project = changed(project, fields)?;
    let (db, changed) = (state.db.clone(), project.clone());
    state
        .change(async move {
            projects::update(&db, &changed).await.map_err(|why| stored(why, &changed))?;
            if !changed.enabled {
                tokens::delete_of_project(&db, &changed.id).await?;
            }
            Ok(())
        })
        .await?;
    Ok(answer(&state, project))
}

async fn delete(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    bearer.admin("identity:delete_project")?;
    find(&state, &id).await?;
    let db = state.db.clone();
    state.change(async move { Ok(projects::delete(&db, &id).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(state: &BuiltIn, id: &str) -> Result<Project, Problem> {
    projects::get(&state.db, id).await?.ok_or_else(|| Problem::not_found("project", id))
}

fn blank(domain_id: String) -> Project {
    Project {
        id: new_id(),
        domain_id,
        name: String::new(),
        description: String::new(),
        enabled: true,
        tags: vec![],
        extra: Default::default(),
    }
}

/// Unknown fields are kept, and those set to `null` are dropped.
fn changed(project: Project, mut fields: Fields) -> Result<Project, Problem> {
    fields.unchanged("id", &project.id)?;
    fields.unchanged("parent_id", &project.domain_id)?;
    if fields.flag("is_domain")? == Some(true) {
        return Err(Problem::field("is_domain", "projects that act as domains are not kept here"));
    }
    fields.ignore(&["links", "options"]);
    Ok(Project {
        name: fields.name("name", MAX_NAME)?.unwrap_or(project.name),
        description: fields
            .text("description")?
            .map_or(project.description, Option::unwrap_or_default),
        enabled: fields.flag("enabled")?.unwrap_or(project.enabled),
        tags: fields.texts("tags")?.unwrap_or(project.tags),
        extra: fields.merged_into(project.extra),
        id: project.id,
        domain_id: project.domain_id,
    })
}

fn stored(why: sqlx::Error, project: &Project) -> Problem {
    match is_duplicate(&why) {
        true => Problem::Duplicate {
            kind: "project",
            name: project.name.clone(),
            within: format!(" at domain ID {}", project.domain_id),
        },
        false => why.into(),
    }
}

fn answer(state: &BuiltIn, project: Project) -> Json<Value> {
    links::item(state, "project", "projects", to_json(project))
}

pub(super) fn to_json(project: Project) -> Value {
    let mut fields = project.extra;
    fields.extend(
        [
            ("id", json!(project.id)),
            ("name", json!(project.name)),
            ("domain_id", json!(project.domain_id)),
            ("parent_id", json!(project.domain_id)),
            ("description", json!(project.description)),
            ("enabled", json!(project.enabled)),
            ("is_domain", json!(false)),
            ("tags", json!(project.tags)),
            ("options", json!({})),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::routes::testing::Cloud;

    #[tokio::test]
    async fn a_project_is_created_shown_changed_and_deleted() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let body = json!({"project": {"name": "p", "description": "d", "colour": "red"}});
        let made = cloud.post("/v3/projects", Some(&admin), body).await;
        assert_eq!(made.status, 201);
        let id = made.id("project");
        let path = format!("/v3/projects/{id}");
        let expected = json!({
            "id": id, "name": "p", "description": "d", "colour": "red", "domain_id": "default",
            "parent_id": "default", "enabled": true, "is_domain": false, "tags": [], "options": {},
            "links": {"self": format!("http://cloud.test/identity{path}")},
        });
        assert_eq!(made.body["project"], expected);
        assert_eq!(cloud.get(&path, Some(&admin)).await.body["project"], expected);

        let change = json!({"project": {"name": "q", "description": null, "colour": null}});
        let changed = cloud.patch(&path, Some(&admin), change).await;
        assert_eq!((changed.status, &changed.body["project"]["name"]), (200, &json!("q")));
        assert_eq!(changed.body["project"]["description"], "");
        assert!(changed.body["project"].get("colour").is_none());

        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 204);
        let gone = cloud.get(&path, Some(&admin)).await;
        assert_eq!(gone.error(), (404, format!("Could not find project: {id}.").as_str()));
        assert_eq!(cloud.delete(&path, Some(&admin)).await.status, 404);
    }

    #[tokio::test]
    async fn lists_are_filtered() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        cloud.project(&admin, "a").await;
        let off = json!({"project": {"name": "b", "enabled": false}});
        cloud.post("/v3/projects", Some(&admin), off).await;
        let cases = [
            ("", vec!["a", "admin", "b"]),
            ("?name=a", vec!["a"]),
            ("?enabled=False", vec!["b"]),
            ("?enabled", vec!["a", "admin"]),
            ("?domain_id=default&name=b", vec!["b"]),
            ("?domain_id=other", vec![]),
            ("?is_domain=true", vec![]),
        ];
        for (query, expected) in cases {
            let list = cloud.get(&format!("/v3/projects{query}"), Some(&admin)).await;
            assert_eq!(list.names("projects"), expected, "{query}");
            let own = format!("http://cloud.test/identity/v3/projects{query}");
            assert_eq!(
                list.body["links"],
                json!({"next": null, "self": own, "previous": null}),
                "{query}"
            );
        }
    }

    #[tokio::test]
    async fn bad_fields_and_taken_names_are_refused() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let path = format!("/v3/projects/{}", cloud.project(&admin, "taken").await);
        let cases = [
            (json!({}), 400),
            (json!({"project": {}}), 400),
            (json!({"project": {"name": ""}}), 400),
            (json!({"project": {"name": "x".repeat(65)}}), 400),
            (json!({"project": {"name": "n", "enabled": "yes"}}), 400),
            (json!({"project": {"name": "n", "domain_id": "missing"}}), 400),
            (json!({"project": {"name": "n", "is_domain": true}}), 400),
            (json!({"project": {"name": "n", "tags": [7]}}), 400),
            (json!({"project": {"name": "taken"}}), 409),
        ];
        for (body, status) in cases {
            let answer = cloud.post("/v3/projects", Some(&admin), body.clone()).await;
            assert_eq!(answer.error().0, status, "{body}");
        }
        for body in [json!({"project": {"name": "admin"}}), json!({"project": {"domain_id": "x"}})]
        {
            let answer = cloud.patch(&path, Some(&admin), body.clone()).await;
            assert!([400, 409].contains(&answer.error().0), "{body}");
        }
    }

    #[tokio::test]
    async fn members_see_their_own_project_and_change_none() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, _, own) = cloud.member(&admin).await;
        let other = cloud.project(&admin, "other").await;
        let (own, other) = (format!("/v3/projects/{own}"), format!("/v3/projects/{other}"));
        let token = Some(member.as_str());
        assert_eq!(cloud.get(&own, token).await.status, 200);
        assert_eq!(cloud.get(&other, token).await.status, 403);
        assert_eq!(cloud.get("/v3/projects", token).await.status, 403);
        let body = json!({"project": {"name": "mine"}});
        assert_eq!(cloud.post("/v3/projects", token, body.clone()).await.status, 403);
        assert_eq!(cloud.patch(&own, token, body).await.status, 403);
        assert_eq!(cloud.delete(&own, token).await.status, 403);
        assert_eq!(cloud.get(&own, None).await.status, 401);
    }

    #[tokio::test]
    async fn tokens_end_with_their_project() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, _, project) = cloud.member(&admin).await;
        let path = format!("/v3/projects/{project}");
        assert_eq!(cloud.get(&path, Some(&member)).await.status, 200);
        let disable = json!({"project": {"enabled": false}});
        assert_eq!(cloud.patch(&path, Some(&admin), disable).await.status, 200);
        assert_eq!(cloud.get(&path, Some(&member)).await.status, 401);
        let scope = json!({"project": {"id": project}});
        assert_eq!(cloud.login("demo", "secret", Some(scope)).await.status, 401);
        // Enabling it again does not bring them back.
        let enable = json!({"project": {"enabled": true}});
        assert_eq!(cloud.patch(&path, Some(&admin), enable).await.status, 200);
        assert_eq!(cloud.get(&path, Some(&member)).await.status, 401);
    }
}
