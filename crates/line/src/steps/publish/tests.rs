//! Publishing to a small image service of the tests' own.

use std::path::Path;
use std::sync::Mutex;

use axum::body::Bytes;
use axum::extract::{Path as Id, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use client::cloud::{Cloud, Login, Trust};
use serde_json::Map;

use super::*;
use crate::recipe::Format;
use crate::work::Key;

/// The images of the service, and whether it refuses bytes.
#[derive(Default)]
struct Service {
    images: Mutex<Map<String, Value>>,
    refuses: bool,
}

type Shared = State<Arc<Service>>;

async fn list(State(service): Shared) -> Json<Value> {
    let images: Vec<Value> = service.images.lock().unwrap().values().cloned().collect();
    Json(json!({ "images": images }))
}

async fn create(State(service): Shared, Json(mut image): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut images = service.images.lock().unwrap();
    let id = format!("image-{}", images.len());
    image["id"] = json!(id);
    image["status"] = json!("queued");
    images.insert(id, image.clone());
    (StatusCode::CREATED, Json(image))
}

async fn show(State(service): Shared, Id(id): Id<String>) -> Result<Json<Value>, StatusCode> {
    service.images.lock().unwrap().get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn delete(State(service): Shared, Id(id): Id<String>) -> StatusCode {
    service.images.lock().unwrap().remove(&id);
    StatusCode::NO_CONTENT
}

async fn upload_to(State(service): Shared, Id(id): Id<String>, bytes: Bytes) -> StatusCode {
    if service.refuses {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let mut images = service.images.lock().unwrap();
    let image = images.get_mut(&id).unwrap();
    image["status"] = json!("active");
    image["size"] = json!(bytes.len());
    image["os_hash_algo"] = json!("sha512");
    image["os_hash_value"] = json!(crate::digest::hex(&openssl::sha::sha512(&bytes)));
    StatusCode::NO_CONTENT
}

/// Starts the service on the runtime that calls this, and a session with it.
async fn start(service: Arc<Service>) -> Session {
    let routes = Router::new()
        .route("/v2/images", get(list).merge(post(create)))
        .route("/v2/images/{id}", get(show).delete(delete))
        .route("/v2/images/{id}/file", put(upload_to))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await });
    let cloud = Cloud {
        origin: "a test".into(),
        login: Login::None,
        region: None,
        interface: "public".into(),
        image_endpoint: Some(endpoint.parse().unwrap()),
        trust: Trust::default(),
    };
    Session::new(cloud, client::Retry::default()).unwrap()
}

fn recipe() -> Publish {
    let text = "[image]\nname = \"x\"\nos_version = \"12.1\"\n\
                [source]\nsuite = \"sid\"\n\
                [publish]\nvisibility = \"public\"\ntags = [\"lts\"]\nproperties = { a = \"b\" }";
    let recipe = Recipe::parse(Path::new("r.toml"), text.to_owned(), &[]).unwrap();
    Publish::of(&recipe).unwrap()
}

/// What was found inside; the recipe says another version.
fn os() -> Os {
    let package = guest::Package { name: "qemu-guest-agent".into(), version: "1".into() };
    Os {
        id: "debian".into(),
        version: "12".into(),
        family: Family::Debian,
        packages: vec![package],
        ..Os::default()
    }
}

/// Publishes a small file `times` times; gives what came of each.
fn publish(service: &Arc<Service>, times: usize) -> Vec<Result<(Image, bool)>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.qcow2");
    std::fs::write(&path, "bytes").unwrap();
    let (sha512, size) = crate::digest::sha512(&path, &Cancel::new()).unwrap();
    let format = Format::Qcow2;
    let converted = Converted { path, format, size, virtual_size: (2 << 30) + 1, sha512 };
    let step = recipe();
    let record = step.record(&os(), &converted);
    client::blocking(async {
        let session = start(Arc::clone(service)).await;
        let mut results = Vec::new();
        for _ in 0..times {
            let mut work = Work {
                step: StepName::Publish,
                key: &Key::of(StepName::Publish, &json!(null), None),
                folder: folder.path(),
                before: &[],
                observer: &mut |_| {},
                cancel: &Cancel::new(),
            };
            results.push(step.publish(&session, &record, &converted, &mut work).await);
        }
        results
    })
    .unwrap()
}

#[test]
fn an_image_is_uploaded_once_with_what_the_recipe_says() {
    let service = Arc::new(Service::default());
    let results = publish(&service, 2);
    let there: Vec<bool> = results.iter().map(|result| result.as_ref().unwrap().1).collect();
    assert_eq!(there, [false, true]);
    let images = service.images.lock().unwrap();
    assert_eq!(images.len(), 1);
    let image = images.values().next().unwrap();
    for (name, expected) in [
        ("name", json!("x")),
        ("disk_format", json!("qcow2")),
        ("visibility", json!("public")),
        ("min_disk", json!(3)),
        ("os_distro", json!("debian")),
        ("os_version", json!("12.1")),
        ("hw_qemu_guest_agent", json!("yes")),
        ("a", json!("b")),
        ("tags", json!(["lts"])),
        ("size", json!(5)),
    ] {
        assert_eq!(image[name], expected, "{name}");
    }
}

#[test]
fn an_upload_that_fails_leaves_no_record() {
    let service = Arc::new(Service { refuses: true, ..Service::default() });
    assert!(publish(&service, 1).remove(0).is_err());
    assert!(service.images.lock().unwrap().is_empty());
}
