//! A Keystone of one test: as much of the Identity API v3 as is asked, over a socket.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use config::Config;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Credentials, Keystone, Settings};

/// How long our own token lives.
pub(super) const OWN_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Keystone's name for them.
const CREDENTIAL: &str = "application_credential";

pub(super) struct Fake {
    pub(super) url: String,
    known: Arc<Known>,
    task: JoinHandle<()>,
}

struct Known {
    state: Mutex<Told>,
    /// Validations wait here.
    gate: Semaphore,
}

#[derive(Default)]
pub(super) struct Told {
    /// Tokens of others, by their text.
    pub(super) tokens: HashMap<String, Value>,
    /// Our own.
    pub(super) own: Vec<String>,
    /// The bodies of requests for a token.
    pub(super) logins: Vec<Value>,
    pub(super) validations: usize,
    /// The status of every answer, if set.
    pub(super) broken: Option<StatusCode>,
    /// The URL of the catalog's internal endpoint, in the region R.
    pub(super) endpoint: String,
}

impl Fake {
    pub(super) async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    /// One that comes back where another was.
    pub(super) async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Mutex::new(Told { endpoint: url.clone(), ..Told::default() });
        let known = Arc::new(Known { state, gate: Semaphore::new(Semaphore::MAX_PERMITS) });
        let app = Router::new()
            .route("/v3/auth/tokens", get(validate).post(log_in))
            .with_state(Arc::clone(&known));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, known, task }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.known.state.lock().unwrap()
    }

    /// Logins and validations.
    pub(super) fn counts(&self) -> (usize, usize) {
        let told = self.told();
        (told.logins.len(), told.validations)
    }

    pub(super) fn close_gate(&self) {
        self.known.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn open_gate(&self) {
        self.known.gate.add_permits(100);
    }

    /// Closes each connection behind its answer, and only once the next request is on its way.
    pub(super) async fn impolite(&self) -> Settings {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = format!("http://{}", listener.local_addr().unwrap());
        let back = self.url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                tokio::spawn(answer_once(front, back.clone()));
            }
        });
        self.told().endpoint = front.clone();
        Settings { auth_url: format!("{front}/v3"), ..self.settings() }
    }

    pub(super) fn settings(&self) -> Settings {
        let credentials = Credentials::password("glance", "secret", "service");
        Settings { retries: 0, ..Settings::new(&self.url, credentials) }
    }

    /// As a service has it whose `[keystone_authtoken]` leads here and has these options; the section
    /// `login` has a login, too.
    pub(super) fn configured(&self, options: &str) -> Keystone {
        let text = format!(
            "[keystone_authtoken]\nhttp_request_max_retries = 0\nauth_url = {0}\n{options}\n\
             [login]\nauth_url = {0}\nuser_id = g\npassword = secret\n",
            self.url
        );
        let mut config = Config::default();
        config.add_text(&text, Path::new("glance-api.conf")).unwrap();
        Keystone::new(Settings::from_config(&config).unwrap()).unwrap()
    }

    pub(super) fn keystone(&self) -> Keystone {
        Keystone::new(self.settings()).unwrap()
    }

    /// A token of a project, which lives for so many seconds from now.
    pub(super) fn issue(&self, token: &str, roles: &[&str], life: i64) {
        let mut body = described(roles, Timestamp::now() + SignedDuration::from_secs(life));
        body["project"] = json!({"id": "p", "name": "demo", "domain": {"id": "pd", "name": "D"}});
        self.told().tokens.insert(token.to_owned(), body);
    }

    /// Ends it, as if the machine that it runs on were switched off.
    pub(super) async fn stop(mut self) -> String {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.url.trim_start_matches("http://").to_owned()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and one answer, each of which fits into a piece.
async fn answer_once(mut front: TcpStream, back: String) {
    let mut back = TcpStream::connect(&back).await.unwrap();
    let mut buffer = vec![0; 1 << 16];
    let asked = front.read(&mut buffer).await.unwrap();
    back.write_all(&buffer[..asked]).await.unwrap();
    let answered = back.read(&mut buffer).await.unwrap();
    let _ = front.write_all(&buffer[..answered]).await;
    let _ = front.read(&mut buffer).await;
}

/// What a token says, without a scope.
pub(super) fn described(roles: &[&str], expires_at: Timestamp) -> Value {
    let roles: Vec<_> = roles.iter().map(|name| json!({"id": "r", "name": name})).collect();
    json!({
        "methods": ["password"],
        "user": {"id": "u", "name": "alice", "domain": {"id": "ud", "name": "D"},
            "password_expires_at": null},
        "audit_ids": ["x"],
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": expires_at.to_string(),
        "roles": roles,
    })
}

async fn log_in(State(known): State<Arc<Known>>, Json(body): Json<Value>) -> Response {
    let mut told = known.state.lock().unwrap();
    told.logins.push(body.clone());
    if let Some(status) = told.broken {
        return status.into_response();
    }
    let identity = &body["auth"]["identity"];
    let shown = [&identity["password"]["user"]["password"], &identity[CREDENTIAL]["secret"]];
    if shown.iter().all(|shown| *shown != "secret") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let token = format!("own-{}", told.logins.len());
    told.own.push(token.clone());
    let mut answer = described(&["service"], Timestamp::now() + OWN_LIFE);
    answer["catalog"] = json!([{"type": "identity", "endpoints": [
        {"interface": "public", "url": "http://nowhere.test", "region_id": "R"},
        {"interface": "internal", "url": told.endpoint, "region_id": "R"},
    ]}]);
    let headers = [("x-subject-token", token)];
    (StatusCode::CREATED, headers, Json(json!({"token": answer}))).into_response()
}

async fn validate(
    State(known): State<Arc<Known>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    known.state.lock().unwrap().validations += 1;
    known.gate.acquire().await.unwrap().forget();
    let told = known.state.lock().unwrap();
    if let Some(status) = told.broken {
        return status.into_response();
    }
    let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    if !told.own.contains(&header("x-auth-token")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let found = told.tokens.get(&header("x-subject-token")).filter(|token| {
        let expires_at: Timestamp = token["expires_at"].as_str().unwrap().parse().unwrap();
        query.contains_key("allow_expired") || expires_at > Timestamp::now()
    });
    match found {
        Some(token)
            if token.get("application_credential").is_some()
                && header("openstack-identity-access-rules").is_empty() =>
        {
            StatusCode::NOT_FOUND.into_response()
        }
        Some(token) => Json(json!({"token": token})).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
