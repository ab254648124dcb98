//! `/v3/auth/tokens`: logging in, asking what a token says, logging out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::body::Body;
use super::filters::Filters;
use crate::builtin::BuiltIn;
use crate::builtin::error::Problem;
use crate::builtin::login::{self, Login};
use crate::builtin::token::{ScopeNames, Token};

const SUBJECT: &str = "x-subject-token";

pub(super) fn routes() -> Router<BuiltIn> {
    Router::new().route("/v3/auth/tokens", get(show).post(issue).delete(revoke))
}

async fn issue(
    State(state): State<BuiltIn>,
    filters: Filters,
    Body(request): Body<login::Request>,
) -> Result<Response, Problem> {
    let Login { secret, token } = state.login(request.auth).await?;
    answer(&state, StatusCode::CREATED, secret.reveal(), &token, &filters)
}

async fn show(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    filters: Filters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (secret, token) = subject(&state, &headers, &bearer, "identity:validate_token").await?;
    answer(&state, StatusCode::OK, secret, &token, &filters)
}

async fn revoke(
    State(state): State<BuiltIn>,
    bearer: Bearer,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (_, token) = subject(&state, &headers, &bearer, "identity:revoke_token").await?;
    state.revoke(token.digest).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The token that is asked about, by its user, an administrator or a service.
async fn subject<'a>(
    state: &BuiltIn,
    headers: &'a HeaderMap,
    bearer: &Bearer,
    action: &'static str,
) -> Result<(&'a str, Arc<Token>), Problem> {
    let header = headers.get(SUBJECT).ok_or(Problem::TokenNotFound)?;
    let secret = header.to_str().map_err(|_| Problem::TokenNotFound)?;
    let token = state.validate(secret).await?;
    let own = bearer.is_user(&token.caller.user_id) || bearer.0.caller.has_role("service");
    bearer.admin_or(own, action)?;
    Ok((secret, token))
}

fn answer(
    state: &BuiltIn,
    status: StatusCode,
    secret: &str,
    token: &Token,
    filters: &Filters,
) -> Result<Response, Problem> {
    let mut described = describe(token);
    if token.scope.is_some() && filters.text("nocatalog").is_none() {
        described["catalog"] = state.endpoints.catalog().into();
    }
    let mut secret = HeaderValue::from_str(secret).map_err(Problem::internal)?;
    secret.set_sensitive(true);
    let vary = (header::VARY, HeaderValue::from_static("X-Auth-Token"));
    let mut response = (status, [vary], Json(json!({"token": described}))).into_response();
    response.headers_mut().insert(SUBJECT, secret);
    Ok(response)
}

fn describe(token: &Token) -> Value {
    let caller = &token.caller;
    let mut described = json!({
        "methods": token.methods,
        "user": {
            "domain": token.user_domain,
            "id": caller.user_id,
            "name": caller.user_name,
            "password_expires_at": null,
        },
        "audit_ids": token.audit_ids,
        "expires_at": instant(caller.expires_at),
        "issued_at": instant(token.issued_at),
    });
    match &token.scope {
        None => return described,
        Some(ScopeNames::Domain(domain)) => described["domain"] = json!(domain),
        Some(ScopeNames::Project { project, domain }) => {
            described["project"] =
                json!({"domain": domain, "id": project.id, "name": project.name});
            described["is_domain"] = false.into();
        }
    }
    let role =
        |role: &crate::builtin::database::roles::Role| json!({"id": role.id, "name": role.name});
    described["roles"] = token.roles.iter().map(role).collect();
    described
}

/// Keystone's form, which clients parse with microseconds.
fn instant(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::builtin::routes::testing::{Answer, Cloud};

    const UNAUTHORIZED: (u16, &str) = (401, "The request you have made requires authentication.");

    async fn ask(cloud: &Cloud, method: &str, bearer: &str, subject: &str) -> Answer {
        let request = axum::http::Request::builder()
            .method(method)
            .uri("/identity/v3/auth/tokens")
            .header("x-auth-token", bearer)
            .header("x-subject-token", subject)
            .body(axum::body::Body::empty())
            .unwrap();
        cloud.send(request).await
    }

    /// A login with a body of `auth`.
    async fn auth(cloud: &Cloud, auth: Value) -> Answer {
        cloud.post("/v3/auth/tokens", None, json!({"auth": auth})).await
    }

    fn by_token(token: &str) -> Value {
        json!({"methods": ["token"], "token": {"id": token}})
    }

    #[tokio::test]
    async fn a_password_login_answers_as_keystone_does() {
        let cloud = Cloud::new().await;
        let answer = cloud.login("admin", &cloud.admin_password(), None).await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.header("vary"), "X-Auth-Token");
        assert_eq!(answer.header("x-subject-token").len(), 44);
        let token = &answer.body["token"];
        assert_eq!(token["methods"], json!(["password"]));
        assert_eq!(token["user"]["domain"], json!({"id": "default", "name": "Default"}));
        assert_eq!(token["project"]["name"], "admin");
        let roles: Vec<_> = token["roles"].as_array().unwrap().iter().map(|r| &r["name"]).collect();
        assert_eq!(roles, ["admin", "manager", "member", "reader"]);
        assert_eq!(token["audit_ids"].as_array().unwrap().len(), 1);
        assert_eq!(token["catalog"].as_array().unwrap().len(), 2);
        let life = |key: &str| token[key].as_str().unwrap().parse::<Timestamp>().unwrap();
        let lived = life("expires_at").duration_since(life("issued_at"));
        assert_eq!(lived, SignedDuration::from_hours(4));
        assert!(token["expires_at"].as_str().unwrap().ends_with(".000000Z"));
    }

    #[tokio::test]
    async fn users_and_projects_are_found_by_id_or_by_name_in_a_domain() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (_, user, project) = cloud.member(&admin).await;
        let users = [
            json!({"id": user}),
            json!({"name": "demo", "domain": {"id": "default"}}),
            json!({"name": "demo", "domain": {"name": "Default"}}),
        ];
        let projects = [
            json!({"id": project}),
            json!({"name": "demo", "domain": {"id": "default"}}),
            json!({"name": "demo", "domain": {"name": "Default"}}),
        ];
        for mut user in users {
            user["password"] = "secret".into();
            for project in &projects {
                let identity = json!({"methods": ["password"], "password": {"user": user}});
                let scope = json!({"project": project});
                let answer = auth(&cloud, json!({"identity": identity, "scope": scope})).await;
                assert_eq!(answer.status, 201, "{user} {project} {}", answer.body);
                assert_eq!(answer.body["token"]["project"]["name"], "demo");
            }
        }
    }

    #[tokio::test]
    async fn every_failed_login_is_the_same_401() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let foreign = cloud.project(&admin, "foreign").await;
        cloud.member(&admin).await;
        let default = json!({"id": "default"});
        let cases = [
            ("demo", "wrong", None),
            ("nobody", "secret", None),
            ("demo", "", None),
            ("demo", &"x".repeat(5000), None),
            ("demo", "secret", Some(json!({"project": {"id": foreign}}))),
            ("demo", "secret", Some(json!({"project": {"id": "missing"}}))),
            ("demo", "secret", Some(json!({"project": {"name": "missing", "domain": default}}))),
            ("demo", "secret", Some(json!({"domain": default}))),
            ("demo", "secret", Some(json!({"domain": {"name": "missing"}}))),
        ];
        for (user, password, scope) in cases {
            let case = format!("{user} {scope:?}");
            assert_eq!(cloud.login(user, password, scope).await.error(), UNAUTHORIZED, "{case}");
        }
        let method = auth(&cloud, json!({"identity": {"methods": ["totp"]}})).await;
        assert_eq!(method.error(), UNAUTHORIZED);
        let challenge = "Keystone uri=\"http://cloud.test/identity\"";
        assert_eq!(method.header("www-authenticate"), challenge);
    }

    #[tokio::test]
    async fn without_a_scope_the_default_project_is_taken_or_none() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        cloud.member(&admin).await;
        let taken = cloud.login("demo", "secret", None).await;
        assert_eq!(taken.body["token"]["project"]["name"], "demo");
        for scope in [json!("unscoped"), json!({"unscoped": {}})] {
            let none = cloud.login("demo", "secret", Some(scope)).await;
            assert_eq!(none.status, 201);
            for key in ["project", "roles", "catalog"] {
                assert!(none.body["token"].get(key).is_none(), "{key}");
            }
        }
    }

    #[tokio::test]
    async fn a_domain_is_a_scope_for_those_who_hold_a_role_on_it() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (_, user, _) = cloud.member(&admin).await;
        let role = cloud.role(&admin, "manager").await;
        let path = format!("/v3/domains/default/users/{user}/roles/{role}");
        assert_eq!(cloud.request("PUT", &path, Some(&admin), None).await.status, 204);
        let answer =
            cloud.login("demo", "secret", Some(json!({"domain": {"name": "Default"}}))).await;
        assert_eq!(answer.body["token"]["domain"], json!({"id": "default", "name": "Default"}));
        assert!(answer.body["token"].get("project").is_none());
    }

    #[tokio::test]
    async fn a_token_buys_another_that_expires_with_it() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (token, ..) = cloud.member(&admin).await;
        let first = ask(&cloud, "GET", &token, &token).await.body;
        cloud.identity.clock.advance(SignedDuration::from_hours(1));
        let second = auth(&cloud, json!({"identity": by_token(&token)})).await.body;
        assert_eq!(second["token"]["methods"], json!(["password", "token"]));
        assert_eq!(second["token"]["expires_at"], first["token"]["expires_at"]);
        assert_eq!(second["token"]["audit_ids"][1], first["token"]["audit_ids"][0]);
        let wrong = auth(&cloud, json!({"identity": by_token("made up")})).await;
        assert_eq!(wrong.error(), UNAUTHORIZED);
    }

    #[tokio::test]
    async fn two_methods_must_prove_the_same_user() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (token, user, _) = cloud.member(&admin).await;
        let both = |token: &str| {
            json!({"identity": {
                "methods": ["password", "token"],
                "password": {"user": {"id": user, "password": "secret"}},
                "token": {"id": token},
            }})
        };
        assert_eq!(auth(&cloud, both(&token)).await.status, 201);
        assert_eq!(auth(&cloud, both(&admin)).await.error(), UNAUTHORIZED);
    }

    #[tokio::test]
    async fn bad_bodies_are_400_and_large_ones_413() {
        let cloud = Cloud::new().await;
        let user = json!({"name": "admin", "domain": {"id": "default"}});
        let cases = [
            json!({}),
            json!([]),
            json!({"auth": 7}),
            json!({"auth": {}}),
            json!({"auth": {"identity": {"methods": []}}}),
            json!({"auth": {"identity": {"methods": ["password"]}}}),
            json!({"auth": {"identity": {"methods": ["token"]}}}),
            json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}),
            json!({"auth": {"identity": {"methods": ["password"],
                "password": {"user": {"name": "admin", "password": "x"}}}}}),
        ];
        for body in cases {
            let answer = cloud.post("/v3/auth/tokens", None, body.clone()).await;
            assert_eq!(answer.error().0, 400, "{body}");
        }
        let scope = json!({"project": {"id": "a"}, "domain": {"id": "b"}});
        let answer = cloud.login("admin", &cloud.admin_password(), Some(scope)).await;
        assert_eq!(answer.error().0, 400);
        let large = cloud.login("admin", &"x".repeat(200_000), None).await;
        assert_eq!(large.error(), (413, "Request is too large."));
    }

    #[tokio::test]
    async fn a_body_must_be_called_json() {
        let cloud = Cloud::new().await;
        let request = axum::http::Request::post("/identity/v3/auth/tokens")
            .header("content-type", "text/plain")
            .body(axum::body::Body::from("{}"))
            .unwrap();
        let answer = cloud.send(request).await;
        assert!(answer.error().1.contains("application/json"), "{}", answer.body);
    }

    #[tokio::test]
    async fn a_token_is_shown_to_its_user_and_to_administrators() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, user, _) = cloud.member(&admin).await;
        for bearer in [&admin, &member] {
            let shown = ask(&cloud, "GET", bearer, &member).await;
            assert_eq!((shown.status, shown.header("x-subject-token")), (200, member.as_str()));
            assert_eq!(shown.body["token"]["user"]["id"], user);
        }
        let head = ask(&cloud, "HEAD", &admin, &member).await;
        assert_eq!((head.status, head.body), (200, Value::Null));
        let foreign = ask(&cloud, "GET", &member, &admin).await;
        assert_eq!(
            foreign.error(),
            (
                403,
                "You are not authorized to perform the requested action: identity:validate_token."
            )
        );
        let unknown = ask(&cloud, "GET", &admin, "made up").await;
        assert_eq!(unknown.error(), (404, "Failed to validate token"));
        assert_eq!(ask(&cloud, "GET", "made up", &admin).await.error(), UNAUTHORIZED);
        assert_eq!(cloud.get("/v3/auth/tokens", None).await.error(), UNAUTHORIZED);
    }

    #[tokio::test]
    async fn the_catalog_is_left_out_when_asked() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let request = axum::http::Request::get("/identity/v3/auth/tokens?nocatalog")
            .header("x-auth-token", &admin)
            .header("x-subject-token", &admin)
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = cloud.send(request).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body["token"].get("catalog").is_none());
    }

    #[tokio::test]
    async fn a_revoked_token_opens_nothing() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let (member, ..) = cloud.member(&admin).await;
        assert_eq!(ask(&cloud, "DELETE", &member, &admin).await.status, 403);
        assert_eq!(ask(&cloud, "DELETE", &member, &member).await.status, 204);
        assert_eq!(ask(&cloud, "GET", &admin, &member).await.status, 404);
        assert_eq!(cloud.get("/v3/auth/projects", Some(&member)).await.error(), UNAUTHORIZED);
        assert_eq!(cloud.get("/v3/auth/projects", Some(&admin)).await.status, 200);
    }

    #[tokio::test]
    async fn an_expired_token_opens_nothing() {
        let cloud = Cloud::new().await;
        let admin = cloud.admin().await;
        let left = SignedDuration::from_hours(4) - SignedDuration::from_secs(60);
        cloud.identity.clock.advance(left);
        assert_eq!(cloud.get("/v3/projects", Some(&admin)).await.status, 200);
        cloud.identity.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(cloud.get("/v3/projects", Some(&admin)).await.error(), UNAUTHORIZED);
        // The next login sweeps it out of the database.
        cloud.admin().await;
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM tokens")
            .fetch_one(&cloud.identity.db)
            .await
            .unwrap();
        assert_eq!(kept, 1);
    }
}
