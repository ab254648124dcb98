//! A cloud of one test, driven without sockets.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::builtin::{BuiltIn, Endpoints, clouds};

pub(crate) struct Cloud {
    pub(crate) identity: BuiltIn,
    pub(crate) dir: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null when there is none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and message.
    pub(crate) fn error(&self) -> (u16, &str) {
        assert_eq!(self.body["error"]["code"], self.status, "{}", self.body);
        (self.status, self.body["error"]["message"].as_str().unwrap())
    }

    /// The `id` of what is under `key`.
    pub(crate) fn id(&self, key: &str) -> String {
        self.body[key]["id"].as_str().unwrap_or_else(|| panic!("{}", self.body)).to_owned()
    }

    /// The names in the list under `key`.
    pub(crate) fn names(&self, key: &str) -> Vec<&str> {
        let list = self.body[key].as_array().unwrap_or_else(|| panic!("{}", self.body));
        list.iter().map(|thing| thing["name"].as_str().unwrap()).collect()
    }
}

impl Cloud {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let identity = BuiltIn::open(dir.path(), Endpoints::at("http://cloud.test")).await.unwrap();
        Self { identity, dir }
    }

    /// As the service nests it, so that a prefix that leaks into a link is seen.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let app = Router::new().nest_service("/identity", self.identity.router());
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).unwrap(),
        };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/identity{path}"));
        if let Some(token) = token {
            request = request.header("x-auth-token", token);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.request("GET", path, token, None).await
    }

    pub(crate) async fn delete(&self, path: &str, token: Option<&str>) -> Answer {
        self.request("DELETE", path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.request("POST", path, token, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.request("PATCH", path, token, Some(body)).await
    }

    /// What `clouds.yaml` holds.
    pub(crate) fn admin_password(&self) -> String {
        let text = std::fs::read_to_string(clouds::path(self.dir.path())).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("password: ")).unwrap();
        line.trim_matches('"').to_owned()
    }

    /// Logs in by name, as scoped as the user's default project makes it unless told otherwise.
    pub(crate) async fn login(&self, user: &str, password: &str, scope: Option<Value>) -> Answer {
        let user = json!({"name": user, "domain": {"id": "default"}, "password": password});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let auth = match scope {
            Some(scope) => json!({"identity": identity, "scope": scope}),
            None => json!({"identity": identity}),
        };
        self.post("/v3/auth/tokens", None, json!({"auth": auth})).await
    }

    /// A token of the administrator.
    pub(crate) async fn admin(&self) -> String {
        let answer = self.login("admin", &self.admin_password(), None).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.header("x-subject-token").to_owned()
    }

    /// A project, by its id.
    pub(crate) async fn project(&self, admin: &str, name: &str) -> String {
        self.post("/v3/projects", Some(admin), json!({"project": {"name": name}}))
            .await
            .id("project")
    }

    /// A user with the password `secret` and a role in a project, by its id.
    pub(crate) async fn user(&self, admin: &str, name: &str, project: &str, role: &str) -> String {
        let user = json!({"name": name, "password": "secret", "default_project_id": project});
        let id = self.post("/v3/users", Some(admin), json!({"user": user})).await.id("user");
        let role = self.role(admin, role).await;
        let path = format!("/v3/projects/{project}/users/{id}/roles/{role}");
        assert_eq!(self.request("PUT", &path, Some(admin), None).await.status, 204);
        id
    }

    /// A role's id.
    pub(crate) async fn role(&self, admin: &str, name: &str) -> String {
        let answer = self.get(&format!("/v3/roles?name={name}"), Some(admin)).await;
        answer.body["roles"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A member of a project of its own: its token, and the ids of both.
    pub(crate) async fn member(&self, admin: &str) -> (String, String, String) {
        let project = self.project(admin, "demo").await;
        let user = self.user(admin, "demo", &project, "member").await;
        let answer = self.login("demo", "secret", None).await;
        (answer.header("x-subject-token").to_owned(), user, project)
    }
}
