//! Uploads that fail in ways that no client can bring about.

#![allow(clippy::unwrap_used)]

mod away;
mod faulty_catalog;
mod losing;
mod sending;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use catalog::sql::SqlCatalog;
use catalog::{Caches, Catalog, Ending, Stored, Tasks, Upload, Uploads, holder};
use config::Config;
use faulty_catalog::{Fault, FaultyCatalog};
use futures::stream::{self, StreamExt};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use identity::NoAuth;
use identity::policy::Policy;
use image::{Event, Location, Task, TaskType, Timestamp};
use serde_json::{Value, json};
use service::keys::Keys;
use service::{
    App, ImportSettings, Imports, Leftovers, Limits, LocationSettings, Parts, Receiving, router,
};
use store::{FileStore, Stores};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tower::ServiceExt;

struct Service {
    app: Arc<App>,
    catalog: SqlCatalog,
    router: Router,
    dir: Arc<TempDir>,
    image: String,
    /// It works on tasks until it is dropped.
    working: JoinSet<()>,
}

impl Service {
    /// With one queued image.
    async fn new(fault: Fault) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = FileStore::open(&dir.path().join("images")).unwrap();
        Self::over(dir, fault, Stores::single("file", Arc::new(store))).await
    }

    /// The same with these stores.
    async fn over(dir: TempDir, fault: Fault, stores: Stores) -> Self {
        let catalog = SqlCatalog::open(&dir.path().join("glance.db")).await.unwrap();
        let mut service = Self::of(Arc::new(dir), catalog, fault, stores);
        let fields = json!({ "disk_format": "raw", "container_format": "bare" });
        let body = Body::from(fields.to_string());
        let (_, created) = service.request("POST", "/v2/images", "application/json", body).await;
        service.image = created["id"].as_str().unwrap().to_owned();
        service
    }

    /// The same service, as it is after it was killed and started again.
    fn again(&self) -> Self {
        let stores = self.app.stores.clone();
        let again = Self::of(self.dir.clone(), self.catalog.clone(), Fault::None, stores);
        Self { image: self.image.clone(), ..again }
    }

    fn of(dir: Arc<TempDir>, catalog: SqlCatalog, fault: Fault, stores: Stores) -> Self {
        let settings = ImportSettings::from_config(&Config::default(), "test").unwrap();
        let staging = FileStore::open(&dir.path().join("staging")).unwrap();
        let imports = Imports::new(settings, staging, Arc::new(catalog.clone()));
        let parts = Parts {
            metadefs: Arc::new(catalog.clone()),
            imports: Arc::new(imports),
            receiving: Arc::new(Receiving::new(Arc::new(catalog.clone()), "test")),
            leftovers: Arc::new(Leftovers::new(Arc::new(catalog.clone()))),
            catalog: Arc::new(FaultyCatalog {
                catalog: catalog.clone(),
                fault,
                late: Mutex::default(),
            }),
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
        let app = Arc::new(App::new(parts, stores));
        let (router, image) = (router(app.clone()), String::new());
        let mut working = JoinSet::new();
        working.spawn(service::work(app.clone()));
        Self { app, catalog, router, dir, image, working }
    }

    /// Ends it as a power failure would.
    async fn kill(mut self) {
        self.working.shutdown().await;
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

    /// Waits for a state while the service tends the uploads that nobody receives.
    async fn tended_until(&self, status: &str) {
        self.tended(async || self.status().await == status).await;
    }

    /// Waits until something is true, while the service tends what was left.
    async fn tended(&self, is_true: impl AsyncFn() -> bool) {
        let reached = async {
            while !is_true().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let limited = tokio::time::timeout(Duration::from_secs(60), reached);
        tokio::select! {
            () = service::tend(&self.app) => {}
            reached = limited => reached.unwrap(),
        }
    }

    /// Waits for an upload, and takes it for dead, as another service does.
    async fn take_over(&self) -> Upload {
        let node = self.catalog.node(&holder("another")).await.unwrap();
        let seen = loop {
            if let Some(seen) = self.catalog.uploads().await.unwrap().pop() {
                break seen;
            }
            tokio::task::yield_now().await;
        };
        self.catalog.take_upload_over(node, &seen).await.unwrap()
    }

    /// The upload of another service to the image.
    async fn begun_elsewhere(&self) -> Upload {
        let node = self.catalog.node(&holder("another")).await.unwrap();
        let upload = Upload::of(self.image.parse().unwrap());
        self.catalog.begin_upload(node, &upload, Event::BeginUpload).await.unwrap();
        upload
    }

    fn stored_files(&self) -> usize {
        self.files("images")
    }

    fn files(&self, folder: &str) -> usize {
        std::fs::read_dir(self.dir.path().join(folder)).unwrap().count()
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

/// A commit that was under way when the connection broke: the image is not active without its bytes.
#[tokio::test]
async fn a_record_that_comes_late_does_not_find_its_bytes_gone() {
    let service = Service::new(Fault::Late).await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
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

/// As a start finds it after a crash between the last byte and the record.
#[tokio::test]
async fn an_upload_that_an_earlier_run_left_is_ended_with_its_bytes() {
    let service = Service::new(Fault::None).await;
    let image = service.image.parse().unwrap();
    let node = service.catalog.node(&holder("test")).await.unwrap();
    service.catalog.begin_upload(node, &Upload::of(image), Event::BeginUpload).await.unwrap();
    std::fs::write(service.dir.path().join("images").join(&service.image), "bytes").unwrap();
    service.tended_until("queued").await;
    assert_eq!(service.stored_files(), 0);
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_upload_that_was_taken_over_changes_nothing_any_more() {
    let service = Service::new(Fault::None).await;
    let (bytes, body) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let body =
        stream::unfold(body, |mut body| async { body.recv().await.map(|piece| (piece, body)) });
    let body = Body::from_stream(body.fuse());
    let lost = async {
        bytes.send(Ok(Bytes::from_static(b"old"))).await.unwrap();
        let taken = service.take_over().await;
        assert_eq!(service.status().await, "saving");
        service.catalog.end_upload(&taken).await.unwrap();
        drop(bytes);
    };
    let (answer, ()) = tokio::join!(service.upload(body), lost);
    assert_eq!(answer, StatusCode::CONFLICT);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
    assert_eq!(service.upload(Body::from("new")).await, StatusCode::NO_CONTENT);
}

/// What a service has stored that was taken for dead after its last byte is in the way of others.
#[tokio::test]
async fn bytes_that_come_late_are_removed_once_nobody_else_brings_any() {
    let service = Service::new(Fault::TakenOver).await;
    assert_eq!(service.upload(Body::from("late")).await, StatusCode::CONFLICT);
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 1));
    let theirs = service.begun_elsewhere().await;
    service::recover(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("saving", 1));
    service.catalog.end_upload(&theirs).await.unwrap();
    service::recover(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
}

#[tokio::test]
async fn bytes_of_others_are_not_taken_for_late_ones() {
    let service = Service::new(Fault::TakenOver).await;
    assert_eq!(service.upload(Body::from("late")).await, StatusCode::CONFLICT);
    let theirs = service.begun_elsewhere().await;
    let path = service.dir.path().join("images").join(&service.image);
    let location = Location::new(format!("file://{}", path.display()), None);
    let stored = Stored {
        location,
        size: 4,
        virtual_size: None,
        hashes: None,
        upload: Some(theirs.clone()),
    };
    service.catalog.activate(theirs.image, &stored).await.unwrap();
    service::recover(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("active", 1));
}

#[tokio::test]
async fn a_staging_that_nobody_receives_is_ended_with_its_bytes() {
    let service = Service::new(Fault::None).await;
    let image = service.image.parse().unwrap();
    let staged = service.dir.path().join("staging").join(&service.image);
    for (holder_name, expected) in [("another", ("uploading", 1)), ("test", ("queued", 0))] {
        let node = service.catalog.node(&holder(holder_name)).await.unwrap();
        let upload = Upload::of(image);
        service.catalog.begin_upload(node, &upload, Event::BeginStaging).await.unwrap();
        std::fs::write(&staged, "half").unwrap();
        service::recover(&service.app).await.unwrap();
        assert_eq!((service.status().await.as_str(), service.files("staging")), expected);
        let _ended_already = service.catalog.end_upload(&upload).await;
    }
}

#[tokio::test]
async fn what_is_staged_stays_until_its_import() {
    let service = Service::new(Fault::None).await;
    let path = format!("/v2/images/{}/stage", service.image);
    let body = Body::from("bytes");
    let answer = service.request("PUT", &path, "application/octet-stream", body).await;
    assert_eq!(answer.0, StatusCode::NO_CONTENT);
    service::recover(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.files("staging")), ("uploading", 1));
}

/// A service that is killed while it reads what a location has goes on with it; what an upload has
/// left goes.
#[tokio::test]
async fn bytes_that_a_task_is_to_attach_stay() {
    let service = Service::new(Fault::None).await;
    let image = service.image.parse().unwrap();
    service.catalog.transition(image, Event::BeginUpload).await.unwrap();
    std::fs::write(service.dir.path().join("images").join(&service.image), "bytes").unwrap();
    let input = json!({
        "image_id": image,
        "loc_url": format!("rbd://fsid/pool/{image}/snap"),
        "worker": { "id": "test", "attaches": true },
    });
    let task = Task {
        image_id: Some(service.image.clone()),
        ..Task::new(TaskType::LocationImport, "p".into(), input, Timestamp::now())
    };
    service.catalog.create_task(&task).await.unwrap();
    service::sweep(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("saving", 1));
    let lease = service.catalog.take_task_over(&task).await.unwrap();
    let ending = Ending::Failure("it ended".to_owned());
    service.catalog.end_task(&lease, &ending, Duration::ZERO).await.unwrap();
    service::sweep(&service.app).await.unwrap();
    assert_eq!((service.status().await.as_str(), service.stored_files()), ("queued", 0));
}
