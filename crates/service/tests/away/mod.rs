//! A store that goes away, and what becomes of bytes that it has half of.

mod store;
mod workers;

use std::sync::Arc;

use ::store::{FileStore, Stores};
use axum::body::Body;
use bytes::Bytes;
use catalog::{Catalog, Leftovers, Viewer};
use futures::{FutureExt, StreamExt, stream};
use http::StatusCode;
use image::Image;
use serde_json::json;

use super::{Fault, Service};
pub(crate) use store::{Away, State};

/// A service with a store `away`, which is the default, beside one of kind file, and one image.
pub(crate) async fn service() -> (Service, Arc<Away>) {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str| FileStore::open(&dir.path().join(name)).unwrap();
    let away = Arc::new(Away::over(open("away")));
    let stores = Stores::single("away", away.clone()).with("file", Arc::new(open("file")));
    (Service::over(dir, Fault::None, stores).await, away)
}

/// Bytes in whose middle the store goes away.
fn bytes_until(away: &Arc<Away>, state: State) -> Body {
    let away = away.clone();
    let rest = async move {
        away.is(state);
        Ok::<_, std::io::Error>(Bytes::from_static(b"the rest"))
    };
    let half = Ok(Bytes::from(vec![0; 600_000]));
    Body::from_stream(stream::iter([half]).chain(rest.into_stream().boxed()))
}

impl Service {
    pub(crate) async fn record(&self) -> Image {
        let id = self.image.parse().unwrap();
        self.catalog.get(&Viewer::service(), id).await.unwrap()
    }

    pub(crate) async fn noted(&self) -> usize {
        self.catalog.leftovers("away").await.unwrap().len()
    }

    async fn cleaned(&self) {
        self.tended(async || self.files("away") == 0 && self.noted().await == 0).await;
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: serde_json::Value,
    ) -> StatusCode {
        let path = format!("/v2/images/{}{path}", self.image);
        self.request(method, &path, "application/json", Body::from(body.to_string())).await.0
    }

    /// An active image whose copy into the store that goes away has failed.
    async fn failed_copy() -> (Self, Arc<Away>) {
        let (service, away) = service().await;
        let path = format!("/v2/images/{}/file", service.image);
        let request = http::Request::put(path)
            .header("x-auth-token", "anybody")
            .header("content-type", "application/octet-stream")
            .header("x-image-meta-store", "file")
            .body(Body::from("bytes"))
            .unwrap();
        let answer = tower::ServiceExt::oneshot(service.router.clone(), request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        away.is(State::Leaving);
        let copy = json!({ "method": { "name": "copy-image" }, "stores": ["away"] });
        assert_eq!(service.ask("POST", "/import", copy).await, StatusCode::ACCEPTED);
        let has_failed = async || {
            let is_locked = service.record().await.properties.contains_key(catalog::LOCK);
            service.noted().await == 1 && !is_locked
        };
        service.tended(has_failed).await;
        assert_eq!(service.files("away"), 1);
        (service, away)
    }
}

#[tokio::test]
async fn what_a_failed_upload_left_outlives_its_service_and_is_removed_once_the_store_is_back() {
    let (service, away) = service().await;
    let answer = service.upload(bytes_until(&away, State::Gone)).await;
    assert_eq!(answer, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((service.status().await.as_str(), service.files("away")), ("queued", 1));
    let again = service.again();
    service.kill().await;
    service::recover(&again.app).await.unwrap();
    assert_eq!((again.status().await.as_str(), again.files("away")), ("queued", 1));
    away.is(State::Here);
    again.cleaned().await;
    assert_eq!(again.status().await, "queued");
    assert_eq!(again.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_upload_that_was_killed_ends_while_the_store_is_away() {
    let (service, away) = service().await;
    let receiving = service.upload(bytes_until(&away, State::Hanging));
    tokio::select! {
        answer = receiving => panic!("{answer}"),
        () = away.has_half() => {}
    }
    assert_eq!((service.status().await.as_str(), service.files("away")), ("saving", 1));
    away.is(State::Gone);
    let again = service.again();
    service::recover(&again.app).await.unwrap();
    assert_eq!((again.status().await.as_str(), again.files("away")), ("queued", 1));
    away.is(State::Here);
    again.cleaned().await;
}

#[tokio::test]
async fn what_comes_late_is_removed_too() {
    let (service, away) = service().await;
    service.upload(bytes_until(&away, State::Gone)).await;
    away.is(State::Here);
    service.tended(async || service.files("away") == 0).await;
    std::fs::write(service.dir.path().join("away").join(&service.image), "late").unwrap();
    service.cleaned().await;
}

#[tokio::test]
async fn who_uploads_again_at_once_has_room() {
    let (service, away) = service().await;
    service.upload(bytes_until(&away, State::Gone)).await;
    away.is(State::Here);
    let again = service.again();
    assert_eq!(again.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    assert_eq!((again.status().await.as_str(), again.files("away")), ("active", 1));
    assert_eq!(again.noted().await, 0);
}

#[tokio::test]
async fn a_store_that_hangs_holds_up_no_other_one() {
    let (service, away) = service().await;
    service.upload(bytes_until(&away, State::Gone)).await;
    away.is(State::Hanging);
    let id = service.image.parse().unwrap();
    std::fs::write(service.dir.path().join("file").join(&service.image), "half").unwrap();
    service.catalog.note_leftover(id, "file").await.unwrap();
    service.tended(async || service.files("file") == 0).await;
    assert_eq!(service.files("away"), 1);
}

#[tokio::test]
async fn what_an_image_has_is_no_leftover() {
    let (service, _away) = service().await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    let id = service.image.parse().unwrap();
    service.catalog.note_leftover(id, "away").await.unwrap();
    service.tended(async || service.noted().await == 0).await;
    assert_eq!((service.status().await.as_str(), service.files("away")), ("active", 1));
}

#[tokio::test]
async fn several_services_remove_it_once_and_nothing_else() {
    let (service, away) = service().await;
    service.upload(bytes_until(&away, State::Gone)).await;
    away.is(State::Here);
    let others = [service.again(), service.again()];
    let upload =
        async { while service.upload(Body::from("bytes")).await != StatusCode::NO_CONTENT {} };
    let remove = async |service: &Service| service::recover(&service.app).await.unwrap();
    tokio::join!(upload, remove(&others[0]), remove(&others[1]));
    others[0].tended(async || service.noted().await == 0).await;
    assert_eq!((service.status().await.as_str(), service.files("away")), ("active", 1));
}

#[tokio::test]
async fn an_image_that_is_deleted_while_its_store_is_away_leaves_nothing() {
    let (service, away) = service().await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    away.is(State::Gone);
    assert_eq!(service.ask("DELETE", "", json!(null)).await, StatusCode::NO_CONTENT);
    assert_eq!(service.files("away"), 1);
    away.is(State::Here);
    service.again().cleaned().await;
}

#[tokio::test]
async fn what_a_failed_copy_left_is_removed_and_the_image_keeps_its_bytes() {
    let (service, away) = Service::failed_copy().await;
    let again = service.again();
    service.kill().await;
    away.is(State::Here);
    again.cleaned().await;
    again.tended(async || !again.record().await.properties.contains_key(catalog::LOCK)).await;
    assert_eq!((again.status().await.as_str(), again.files("file")), ("active", 1));
    assert_eq!(again.record().await.locations.len(), 1);
}

#[tokio::test]
async fn a_copy_that_is_tried_again_has_room() {
    let (service, away) = Service::failed_copy().await;
    away.is(State::Here);
    let again = service.again();
    service.kill().await;
    let copy = json!({ "method": { "name": "copy-image" }, "stores": ["away"] });
    let asked = async || again.ask("POST", "/import", copy.clone()).await == StatusCode::ACCEPTED;
    again.tended(asked).await;
    again.tended(async || again.record().await.locations.len() == 2).await;
    again.tended(async || again.noted().await == 0).await;
    assert_eq!((again.files("file"), again.files("away")), (1, 1));
}
