//! What images lose, and what becomes of it.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use catalog::{Catalog, Leftover, Leftovers, Stored};
use http::StatusCode;
use image::{ImageId, Location, Status};
use serde_json::json;
use store::{Data, Error, Source, Store, Stores, Written};

use super::away::{Away, State, service};
use super::{Fault, Service};

/// A store that keeps its bytes, and says why.
struct Keeping(fn(String) -> Error);

fn in_use(uri: String) -> Error {
    Error::InUse { uri, why: "it has clones".into() }
}

fn forbidden(_: String) -> Error {
    Error::Forbidden { store: "used".into(), why: "the key may not delete".into() }
}

#[async_trait]
impl Store for Keeping {
    fn kind(&self) -> &'static str {
        "in use"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["used"]
    }

    fn holds(&self, uri: &str) -> bool {
        uri.starts_with("used://")
    }

    async fn put(&self, _: ImageId, _: Option<u64>, _: Source) -> store::Result<Written> {
        Err(Error::ReadOnly("used".into()))
    }

    async fn open(&self, uri: &str, _: Range<u64>) -> store::Result<Data> {
        Err(Error::NotFound(uri.to_owned()))
    }

    async fn size(&self, _: &str) -> store::Result<u64> {
        Ok(1)
    }

    async fn delete(&self, uri: &str) -> store::Result<()> {
        Err(self.0(uri.to_owned()))
    }

    async fn discard(&self, id: ImageId) -> store::Result<bool> {
        Err(self.0(id.to_string()))
    }
}

impl Service {
    async fn is_deleted(&self) -> bool {
        let id = self.image.parse().unwrap();
        self.catalog.status_of(id).await.unwrap() == Some(Status::Deleted)
    }

    /// With bytes in two stores, of which `away` may go away.
    async fn in_two_stores() -> (Self, Arc<Away>) {
        let (service, away) = service().await;
        assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
        let copy = json!({ "method": { "name": "copy-image" }, "stores": ["file"] });
        assert_eq!(service.ask("POST", "/import", copy).await, StatusCode::ACCEPTED);
        service.tended(async || service.record().await.locations.len() == 2).await;
        (service, away)
    }

    /// Its image is active with bytes of the store `used`.
    async fn with_bytes_in_use(&self) -> (ImageId, Location) {
        let (id, location) = (self.image.parse().unwrap(), Location::new("used://x", Some("used")));
        let stored = Stored {
            location: location.clone(),
            size: 1,
            virtual_size: None,
            hashes: None,
            upload: None,
        };
        self.catalog.activate(id, &stored).await.unwrap();
        (id, location)
    }

    async fn take_from(&self, store: &str) -> StatusCode {
        let path = format!("/v2/stores/{store}/{}", self.image);
        self.request("DELETE", &path, "application/json", Body::empty()).await.0
    }
}

#[tokio::test]
async fn bytes_that_are_in_use_stay_with_their_record() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::single("used", Arc::new(Keeping(in_use)));
    let stores = stores.with("other", Arc::new(Keeping(in_use)));
    let service = Service::over(dir, Fault::None, stores).await;
    let (id, used) = service.with_bytes_in_use().await;
    let other = Location::new("other://x", Some("other"));
    service.catalog.add_location(id, &other).await.unwrap();

    assert_eq!(service.take_from("used").await, StatusCode::CONFLICT);
    let after = service.record().await;
    assert!(after.locations.contains(&used), "{:?}", after.locations);
    assert_eq!(service.catalog.leftovers("used").await.unwrap(), []);
}

#[tokio::test]
async fn what_a_store_refuses_to_delete_is_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::single("used", Arc::new(Keeping(forbidden)));
    let service = Service::over(dir, Fault::None, stores).await;
    service.with_bytes_in_use().await;
    assert_eq!(service.ask("DELETE", "", json!(null)).await, StatusCode::NO_CONTENT);
    service::recover(&service.app).await.unwrap();
    assert_eq!(service.catalog.leftovers("used").await.unwrap().len(), 1);
}

#[tokio::test]
async fn bytes_that_a_store_keeps_which_is_away_stay_with_their_record() {
    let (service, away) = Service::in_two_stores().await;
    away.is(State::Gone);
    assert_eq!(service.take_from("away").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((service.record().await.locations.len(), service.noted().await), (2, 0));
    away.is(State::Here);
    assert_eq!(service.take_from("away").await, StatusCode::NO_CONTENT);
    assert_eq!((service.record().await.locations.len(), service.noted().await), (1, 0));
    assert_eq!((service.files("away"), service.files("file")), (0, 1));
}

#[tokio::test]
async fn a_deletion_outlasts_its_client() {
    let (service, away) = service().await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    away.is(State::Hanging);
    let is_deleted = async { while !service.is_deleted().await {} };
    tokio::select! {
        answer = service.ask("DELETE", "", json!(null)) => panic!("{answer}"),
        () = is_deleted => {}
    }
    assert_eq!((service.files("away"), service.noted().await), (1, 1));
    away.is(State::Here);
    while service.noted().await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.files("away"), 0);
}

#[tokio::test]
async fn what_somebody_removes_already_is_left_to_them() {
    let (service, _away) = service().await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    let id: ImageId = service.image.parse().unwrap();
    service.catalog.delete(id, &[Leftover::going(id, "away")]).await.unwrap();
    service::recover(&service.app).await.unwrap();
    assert_eq!((service.files("away"), service.noted().await), (1, 1));
}
