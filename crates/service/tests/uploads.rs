//! Uploads that fail in ways that no client can bring about.

#![allow(clippy::unwrap_used)]

mod faulty_catalog;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use catalog::sql::SqlCatalog;
use config::Config;
use faulty_catalog::{Fault, FaultyCatalog};
use futures::stream;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use identity::NoAuth;
use identity::policy::Policy;
use serde_json::{Value, json};
use service::keys::Keys;
use service::{App, ImportSettings, Imports, Limits, LocationSettings, router};
use store::{FileStore, Stores};
use tempfile::TempDir;
use tower::ServiceExt;

struct Service {
    router: Router,
    dir: TempDir,
    image: String,
}

impl Service {
    /// With one queued image.
    async fn new(fault: Fault) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = SqlCatalog::open(&dir.path().join("glance.db")).await.unwrap();
        let store = FileStore::open(&dir.path().join("images")).unwrap();
        let settings = ImportSettings::from_config(&Config::default(), "test").unwrap();
        let staging = FileStore::open(&dir.path().join("staging")).unwrap();
        let imports = Imports::new(settings, staging, Arc::new(catalog.clone()));
        let app = App {
            metadefs: Arc::new(catalog.clone()),
            imports: Arc::new(imports),
            catalog: Arc::new(FaultyCatalog { catalog, fault }),
            stores: Stores::single("file", Arc::new(store)),
            authenticator: Arc::new(NoAuth::new("admin")),
            policy: Policy::default(),
            limits: Limits::default(),
            cache: None,
            rules: service::Rules::default(),
            locations: LocationSettings::default(),
            notifier: Default::default(),
            keys: Keys::open(Default::default()).unwrap(),
            public_endpoint: None,
        };
        let mut service = Self { router: router(Arc::new(app)), dir, image: String::new() };
        let fields = json!({ "disk_format": "raw", "container_format": "bare" });
        let body = Body::from(fields.to_string());
        let (_, created) = service.request("POST", "/v2/images", "application/json", body).await;
        service.image = created["id"].as_str().unwrap().to_owned();
        service
    }

    async fn upload(&self, body: Body) -> StatusCode {
        let path = format!("/v2/images/{}/file", self.image);
        self.request("PUT", &path, "application/octet-stream", body).await.0
    }

    async fn status(&self) -> String {
        let path = format!("/v2/images/{}", self.image);
        let (_, image) = self.request("GET", &path, "application/json", Body::empty()).await;
        image["status"].as_str().unwrap().to_owned()
    }

    fn stored_files(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("images")).unwrap().count()
    }

    async fn request(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: Body,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-auth-token", "anybody")
            .header("content-type", kind)
            .body(body)
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn a_catalog_that_fails_before_the_record_leaves_no_bytes() {
    let service = Service::new(Fault::BeforeActivation).await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
}

/// A commit whose answer is lost: the image is active, so its bytes must stay.
#[tokio::test]
async fn a_catalog_that_fails_after_the_record_takes_no_bytes_away() {
    let service = Service::new(Fault::AfterActivation).await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("active", 1));
}

#[tokio::test]
async fn a_panic_does_not_keep_an_image_saving() {
    let service = Service::new(Fault::None).await;
    let broken = || -> std::io::Result<Bytes> { panic!("what nobody foresaw") };
    let body = Body::from_stream(stream::repeat_with(broken));
    assert_eq!(service.upload(body).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
}
