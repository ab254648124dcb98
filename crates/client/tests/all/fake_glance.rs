//! A Glance and a Keystone in one, small and false at will.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use client::cloud::{Cloud, Environment};
use client::{Images, Retry, Session};
use openssl::hash::{MessageDigest, hash};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse";

/// What goes wrong with the next request of a kind.
#[derive(Clone)]
pub(crate) enum Fault {
    /// This status, with `Retry-After: 0` and an explanation.
    Status(StatusCode),
    /// The connection breaks after this many bytes of the body.
    BreakAfter(usize),
    /// The body ends, properly, after this many bytes.
    EndAfter(usize),
    /// `Range` is not understood.
    NoRange,
    /// This is sent after the body.
    Surplus(&'static [u8]),
    /// It is somewhere else.
    Elsewhere(String),
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Default)]
pub(crate) struct Fake {
    /// Records and their bytes, in the order of their registration.
    pub(crate) images: Mutex<Vec<(Value, Vec<u8>)>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    faults: Mutex<BTreeMap<(Method, &'static str), VecDeque<Fault>>>,
    token: Mutex<u32>,
    pub(crate) address: String,
}

/// Starts one on a port of its own; it lives as long as the test's runtime.
pub(crate) async fn start() -> Arc<Fake> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let fake = Arc::new(Fake { address, ..Fake::default() });
    let router = Router::new().fallback(answer).with_state(Arc::clone(&fake));
    tokio::spawn(async move { axum::serve(listener, router).await });
    fake
}

impl Fake {
    /// The next request of this method whose path ends so meets this fault.
    pub(crate) fn fail(&self, method: Method, path_end: &'static str, fault: Fault) {
        self.faults.lock().unwrap().entry((method, path_end)).or_default().push_back(fault);
    }

    /// Tokens given out so far are worthless from now on.
    pub(crate) fn revoke_tokens(&self) {
        *self.token.lock().unwrap() += 1;
    }

    /// Registers an image with bytes.
    pub(crate) fn add(&self, id: &str, name: &str, data: Vec<u8>) {
        let mut record = new_record(id, json!({"name": name, "disk_format": "raw"}));
        activate(&mut record, &data);
        self.images.lock().unwrap().push((record, data));
    }

    /// Overwrites a field of a record.
    pub(crate) fn set(&self, id: &str, field: &str, value: Value) {
        let mut images = self.images.lock().unwrap();
        images.iter_mut().find(|(image, _)| image["id"] == id).unwrap().0[field] = value;
    }

    /// A session with a password, without patience for waits.
    pub(crate) fn session(&self, password: &str) -> Session {
        let auth_url = format!("{}/identity", self.address);
        let variables = [
            ("OS_AUTH_URL", auth_url.as_str()),
            ("OS_USERNAME", "ann"),
            ("OS_PASSWORD", password),
            ("OS_PROJECT_NAME", "demo"),
        ];
        let cloud = Cloud::find(None, &Environment::of(variables, "/nonexistent")).unwrap();
        Session::new(cloud, impatient(4)).unwrap()
    }

    pub(crate) fn images(&self) -> Images {
        self.session(PASSWORD).images()
    }

    /// As [`Fake::images`], giving up after the first failure.
    pub(crate) fn images_once(&self) -> Images {
        let cloud = self.session(PASSWORD).cloud().clone();
        Session::new(cloud, impatient(1)).unwrap().images()
    }

    /// Requests of this method whose path ends so.
    pub(crate) fn seen(&self, method: Method, path_end: &str) -> Vec<Seen> {
        let fits = |seen: &&Seen| seen.method == method && seen.path.ends_with(path_end);
        self.seen.lock().unwrap().iter().filter(fits).cloned().collect()
    }

    fn fault(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let fits = |(of, end): &&(Method, &str)| of == method && path.ends_with(end);
        let kind = faults.keys().find(fits)?.clone();
        faults.get_mut(&kind)?.pop_front()
    }
}

fn impatient(attempts: u32) -> Retry {
    Retry { attempts, first_wait: Duration::ZERO, longest_wait: Duration::ZERO }
}

async fn answer(State(fake): State<Arc<Fake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let fault = fake.fault(&parts.method, &path);
    if let Some(Fault::BreakAfter(limit)) = fault
        && parts.method == Method::PUT
    {
        return break_upload(body, limit).await;
    }
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let seen = Seen { method: parts.method, path: path.clone(), headers: parts.headers, body };
    fake.seen.lock().unwrap().push(seen.clone());
    if let Some(Fault::Status(status)) = fault {
        let explanation = Json(json!({"message": "the <b>service</b> says no"}));
        return (status, [(header::RETRY_AFTER, "0")], explanation).into_response();
    }
    if let Some(Fault::Elsewhere(place)) = fault {
        return (StatusCode::FOUND, [(header::LOCATION, place)]).into_response();
    }
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["identity"] => versions(&fake),
        ["identity", "v3", "auth", "tokens"] => log_in(&fake, &seen),
        ["objects", id] => objects(&fake, id, &seen, fault),
        _ if !fake.knows(&seen) => StatusCode::UNAUTHORIZED.into_response(),
        ["image", "v2", "images", rest @ ..] => {
            images(&fake, &seen, rest, parts.uri.query().unwrap_or_default(), fault)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Reads some of an upload, and hangs up.
async fn break_upload(body: Body, limit: usize) -> Response {
    use futures::StreamExt;
    let mut pieces = body.into_data_stream();
    let mut read = 0;
    while read < limit
        && let Some(Ok(piece)) = pieces.next().await
    {
        read += piece.len();
    }
    // An answer whose body breaks before its first byte closes the connection.
    broken_body(Vec::new(), 10)
}

fn versions(fake: &Fake) -> Response {
    let href = format!("{}/identity/v3", fake.address);
    let v3 = json!({"id": "v3.14", "links": [{"rel": "self", "href": href}]});
    (StatusCode::MULTIPLE_CHOICES, Json(json!({"versions": {"values": [v3]}}))).into_response()
}

fn log_in(fake: &Fake, seen: &Seen) -> Response {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    if body["auth"]["identity"]["password"]["user"]["password"] != PASSWORD {
        let error = json!({"error": {"message": "Wrong credentials."}});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    let url = format!("{}/image", fake.address);
    let endpoint = json!({"interface": "public", "region": "one", "region_id": "one", "url": url});
    let token = json!({"token": {"expires_at": "2999-01-01T00:00:00.000000Z",
        "catalog": [{"type": "image", "name": "glance", "endpoints": [endpoint]}]}});
    let subject = format!("token {}", fake.token.lock().unwrap());
    (StatusCode::CREATED, [("X-Subject-Token", subject)], Json(token)).into_response()
}

impl Fake {
    fn knows(&self, seen: &Seen) -> bool {
        let token = format!("token {}", self.token.lock().unwrap());
        seen.headers.get("x-auth-token").is_some_and(|sent| sent.as_bytes() == token.as_bytes())
    }
}

fn images(fake: &Fake, seen: &Seen, rest: &[&str], query: &str, fault: Option<Fault>) -> Response {
    let mut images = fake.images.lock().unwrap();
    let index = |id: &str| images.iter().position(|(image, _)| image["id"] == id);
    match (seen.method.as_str(), rest) {
        ("GET", []) => Json(page(&images, query)).into_response(),
        ("POST", []) => {
            let id = format!("00000000-0000-4000-8000-{:012}", images.len());
            let record = new_record(&id, serde_json::from_slice(&seen.body).unwrap());
            images.push((record.clone(), Vec::new()));
            (StatusCode::CREATED, Json(record)).into_response()
        }
        (method, [id, rest @ ..]) => match (index(id), method, rest) {
            (None, ..) => StatusCode::NOT_FOUND.into_response(),
            (Some(at), "GET", []) => Json(&images[at].0).into_response(),
            (Some(at), "PATCH", []) => Json(&images[at].0).into_response(),
            (Some(at), "DELETE", []) => {
                images.remove(at);
                StatusCode::NO_CONTENT.into_response()
            }
            (Some(at), "GET", ["file"]) => download(&images[at], seen, fault),
            (Some(at), "PUT", ["file"]) => {
                let (record, data) = &mut images[at];
                *data = seen.body.to_vec();
                activate(record, data);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => StatusCode::NO_CONTENT.into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// The bytes of an image, to whoever knows where they are.
fn objects(fake: &Fake, id: &str, seen: &Seen, fault: Option<Fault>) -> Response {
    let images = fake.images.lock().unwrap();
    let found = images.iter().find(|(image, _)| image["id"] == id);
    found.map_or(StatusCode::NOT_FOUND.into_response(), |image| download(image, seen, fault))
}

/// Two images a page; of the filters, `name`.
fn page(images: &[(Value, Vec<u8>)], query: &str) -> Value {
    let of =
        |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let named = |image: &&Value| of("name").is_none_or(|name| image["name"] == name);
    let all: Vec<&Value> = images.iter().map(|(image, _)| image).filter(named).collect();
    let start = of("marker")
        .map_or(0, |marker| 1 + all.iter().position(|image| image["id"] == marker).unwrap());
    let end = all.len().min(start + 2);
    let mut page = json!({"images": &all[start..end], "schema": "/v2/schemas/images"});
    if end < all.len() {
        page["next"] = format!("/v2/images?marker={}", all[end - 1]["id"].as_str().unwrap()).into();
    }
    page
}

fn download((record, data): &(Value, Vec<u8>), seen: &Seen, fault: Option<Fault>) -> Response {
    if record["status"] == "queued" {
        return StatusCode::NO_CONTENT.into_response();
    }
    let range = seen.headers.get(header::RANGE).filter(|_| !matches!(fault, Some(Fault::NoRange)));
    let first: Option<usize> = range.map(|range| {
        range.to_str().unwrap().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
    });
    let mut body = data[first.unwrap_or(0)..].to_vec();
    let length = body.len();
    let mut response = match fault {
        Some(Fault::BreakAfter(limit)) => {
            body.truncate(limit);
            broken_body(body, length)
        }
        Some(Fault::EndAfter(limit)) => {
            body.truncate(limit);
            Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(body)]))
                .into_response()
        }
        Some(Fault::Surplus(surplus)) => [body, surplus.to_vec()].concat().into_response(),
        _ => body.into_response(),
    };
    if let Some(first) = first {
        let range = format!("bytes {first}-{}/{}", data.len() - 1, data.len());
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, range.parse().unwrap());
    }
    response
}

/// Promises `length` bytes, and breaks after those of `body`.
fn broken_body(body: Vec<u8>, length: usize) -> Response {
    let broken = Err(std::io::Error::other("the line is cut"));
    let stream = futures::stream::iter([Ok(Bytes::from(body)), broken]);
    ([(header::CONTENT_LENGTH, length)], Body::from_stream(stream)).into_response()
}

fn new_record(id: &str, fields: Value) -> Value {
    let mut record = json!({"id": id, "status": "queued", "visibility": "shared", "tags": [],
        "size": null, "self": format!("/v2/images/{id}")});
    for (name, value) in fields.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn activate(record: &mut Value, data: &[u8]) {
    record["status"] = "active".into();
    record["size"] = data.len().into();
    record["checksum"] = hex(MessageDigest::md5(), data).into();
    record["os_hash_algo"] = "sha512".into();
    record["os_hash_value"] = hex(MessageDigest::sha512(), data).into();
}

fn hex(algorithm: MessageDigest, data: &[u8]) -> String {
    hash(algorithm, data).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes without a period that a mistake could hide behind.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mix = |n: usize| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    (0..length).map(|n| mix(n) as u8).collect()
}
