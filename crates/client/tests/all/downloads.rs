//! Downloads through every kind of trouble.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode, header};
use client::images::{Downloaded, Verified};
use client::{Error, Images, Progress, Result};
use serde_json::json;

use crate::fake_glance::{Fake, Fault, bytes, start};

const ID: &str = "11111111-1111-4111-8111-111111111111";
const SIZE: usize = 3_000_001;

/// A service with one image, and a directory to pull it to.
struct Scene {
    fake: Arc<Fake>,
    directory: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let fake = start().await;
        fake.add(ID, "disk", bytes(SIZE));
        Self { fake, directory: tempfile::tempdir().unwrap() }
    }

    fn output(&self) -> PathBuf {
        self.directory.path().join("disk.raw")
    }

    fn part(&self) -> PathBuf {
        self.directory.path().join(format!("disk.raw.{ID}.part"))
    }

    fn fail(&self, fault: Fault) {
        self.fake.fail(Method::GET, "/file", fault);
    }

    async fn pull(&self) -> Result<Downloaded> {
        self.pull_by(&self.fake.images()).await
    }

    async fn pull_by(&self, images: &Images) -> Result<Downloaded> {
        let image = images.show(ID).await?;
        images.download(&image, &self.output(), &Progress::none()).await
    }

    /// The `Range` of each request for the bytes.
    fn ranges(&self) -> Vec<Option<String>> {
        let range = |headers: &axum::http::HeaderMap| {
            headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned())
        };
        self.fake.seen(Method::GET, "/file").iter().map(|seen| range(&seen.headers)).collect()
    }

    fn assert_complete(&self) {
        assert!(fs::read(self.output()).unwrap() == bytes(SIZE), "other bytes than the image's");
        assert!(!self.part().exists());
    }
}

#[tokio::test]
async fn an_image_arrives_verified() {
    let scene = Scene::new().await;
    let downloaded = scene.pull().await.unwrap();
    assert_eq!((downloaded.bytes, downloaded.resumed_from), (SIZE as u64, 0));
    let Verified::Digest(digest) = downloaded.verified else { panic!("not verified") };
    assert_eq!(digest.algorithm, "sha512");
    scene.assert_complete();
}

#[tokio::test]
async fn a_broken_connection_is_taken_up_where_it_broke() {
    let scene = Scene::new().await;
    scene.fail(Fault::BreakAfter(1_000_000));
    scene.fail(Fault::BreakAfter(500_000));
    scene.pull().await.unwrap();
    scene.assert_complete();
    let expected = [None, Some("bytes=1000000-".to_owned()), Some("bytes=1500000-".to_owned())];
    assert_eq!(scene.ranges(), expected);
}

#[tokio::test]
async fn a_body_that_ends_early_but_properly_is_taken_up_too() {
    let scene = Scene::new().await;
    scene.fail(Fault::EndAfter(1_234_567));
    scene.pull().await.unwrap();
    scene.assert_complete();
    assert_eq!(scene.ranges()[1].as_deref(), Some("bytes=1234567-"));
}

#[tokio::test]
async fn a_service_without_ranges_is_read_from_its_start_again() {
    let scene = Scene::new().await;
    scene.fail(Fault::BreakAfter(2_000_000));
    scene.fail(Fault::NoRange);
    scene.pull().await.unwrap();
    scene.assert_complete();
}

#[tokio::test]
async fn a_later_download_goes_on_from_the_part_that_an_earlier_one_left() {
    let scene = Scene::new().await;
    scene.fail(Fault::BreakAfter(2_000_000));
    let error = scene.pull_by(&scene.fake.images_once()).await.unwrap_err();
    let Error::DownloadBroken { position: 2_000_000, part: Some(part), .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*part, scene.part());
    assert!(!scene.output().exists());

    let downloaded = scene.pull().await.unwrap();
    assert_eq!(downloaded.resumed_from, 2_000_000);
    assert_eq!(scene.ranges().last().unwrap().as_deref(), Some("bytes=2000000-"));
    scene.assert_complete();
}

#[tokio::test]
async fn a_complete_part_is_only_verified() {
    let scene = Scene::new().await;
    fs::write(scene.part(), bytes(SIZE)).unwrap();
    assert_eq!(scene.pull().await.unwrap().resumed_from, SIZE as u64);
    assert!(scene.ranges().is_empty());
    scene.assert_complete();
}

#[tokio::test]
async fn a_spoiled_part_is_found_out_and_fetched_anew() {
    let scene = Scene::new().await;
    let mut spoiled = bytes(1_000_000);
    spoiled[7] ^= 1;
    fs::write(scene.part(), spoiled).unwrap();
    assert_eq!(scene.pull().await.unwrap().resumed_from, 0);
    scene.assert_complete();
    assert_eq!(scene.ranges(), [Some("bytes=1000000-".to_owned()), None]);
}

#[tokio::test]
async fn wrong_bytes_never_take_the_place_of_the_output() {
    let scene = Scene::new().await;
    scene.fake.set(ID, "os_hash_value", json!("00".repeat(64)));
    fs::write(scene.output(), "what was there").unwrap();
    let error = scene.pull().await.unwrap_err();
    assert!(matches!(&error, Error::WrongHash { algorithm, .. } if algorithm == "sha512"));
    assert_eq!(fs::read_to_string(scene.output()).unwrap(), "what was there");
    assert!(!scene.part().exists());
}

#[tokio::test]
async fn more_bytes_than_the_record_promises_are_refused() {
    let scene = Scene::new().await;
    scene.fail(Fault::Surplus(b"more"));
    let error = scene.pull().await.unwrap_err();
    assert!(matches!(error, Error::WrongSize { .. }), "{error:?}");
    assert!(!scene.output().exists() && !scene.part().exists());
}

#[tokio::test]
async fn the_checksum_stands_in_for_an_unknown_digest() {
    let scene = Scene::new().await;
    scene.fake.set(ID, "os_hash_algo", json!("rot13"));
    let Verified::Digest(digest) = scene.pull().await.unwrap().verified else { panic!() };
    assert_eq!(digest.algorithm, "md5");

    scene.fake.set(ID, "checksum", json!("00".repeat(16)));
    assert!(matches!(scene.pull().await.unwrap_err(), Error::WrongHash { .. }));
}

#[tokio::test]
async fn an_image_without_digests_is_said_to_be_unverified() {
    let scene = Scene::new().await;
    scene.fake.set(ID, "os_hash_value", json!(null));
    scene.fake.set(ID, "checksum", json!(null));
    assert_eq!(scene.pull().await.unwrap().verified, Verified::Nothing);
    scene.assert_complete();
}

#[tokio::test]
async fn an_image_without_data_leaves_nothing_behind() {
    let scene = Scene::new().await;
    scene.fake.set(ID, "status", json!("queued"));
    let error = scene.pull().await.unwrap_err();
    assert!(matches!(error, Error::NoData { .. }), "{error:?}");
    assert_eq!(fs::read_dir(scene.directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_refusal_keeps_the_part_and_says_why() {
    let scene = Scene::new().await;
    fs::write(scene.part(), bytes(10)).unwrap();
    scene.fail(Fault::Status(StatusCode::FORBIDDEN));
    let error = scene.pull().await.unwrap_err();
    assert_eq!(error.to_string(), "the service says no (HTTP 403)");
    assert_eq!(fs::read(scene.part()).unwrap(), bytes(10));
}

#[tokio::test]
async fn an_output_that_cannot_be_written_is_named() {
    let scene = Scene::new().await;
    let images = scene.fake.images();
    let image = images.show(ID).await.unwrap();
    let nowhere = Path::new("/nonexistent/disk.raw");
    let error = images.download(&image, nowhere, &Progress::none()).await.unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/disk.raw"), "{error}");
}

#[tokio::test]
async fn progress_goes_from_the_start_to_the_end() {
    let scene = Scene::new().await;
    fs::write(scene.part(), bytes(1_000_000)).unwrap();
    let positions = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&positions);
    let images = scene.fake.images();
    let image = images.show(ID).await.unwrap();
    let progress = Progress::new(move |position| listener.lock().unwrap().push(position));
    images.download(&image, &scene.output(), &progress).await.unwrap();
    let positions = positions.lock().unwrap();
    assert_eq!((positions[0], positions[positions.len() - 1]), (1_000_000, SIZE as u64));
    assert!(positions.is_sorted());
}

/// Bytes that a writer on another thread got.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Collected {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_stream_survives_a_broken_connection() {
    let scene = Scene::new().await;
    scene.fail(Fault::BreakAfter(1_000_000));
    let images = scene.fake.images();
    let image = images.show(ID).await.unwrap();
    let collected = Collected::default();
    images.download_to(&image, collected.clone(), &Progress::none()).await.unwrap();
    assert!(*collected.0.lock().unwrap() == bytes(SIZE));
}

/// A store beside the service, and the URL that opens the image there.
async fn beside() -> (Arc<Fake>, String) {
    let store = start().await;
    store.add(ID, "disk", bytes(SIZE));
    let url = format!("{}/objects/{ID}?signature=secret", store.address);
    (store, url)
}

#[tokio::test]
async fn bytes_that_are_elsewhere_are_fetched_without_the_token() {
    let (scene, (store, url)) = (Scene::new().await, beside().await);
    scene.fail(Fault::Elsewhere(url.clone()));
    scene.fail(Fault::Elsewhere(url));
    store.fail(Method::GET, ID, Fault::BreakAfter(1_000_000));
    scene.pull().await.unwrap();
    scene.assert_complete();
    let asked = store.seen(Method::GET, ID);
    assert!(asked.iter().all(|seen| !seen.headers.contains_key("x-auth-token")));
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].headers["range"], "bytes=1000000-");
    assert_eq!(scene.ranges(), [None, Some("bytes=1000000-".to_owned())]);
}

#[tokio::test]
async fn what_opens_bytes_elsewhere_is_not_told() {
    let (scene, (store, url)) = (Scene::new().await, beside().await);
    let nowhere = format!("http://127.0.0.1:1/objects/{ID}?signature=secret");
    for place in [nowhere, url] {
        store.fail(Method::GET, ID, Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
        scene.fail(Fault::Elsewhere(place));
        let error = scene.pull_by(&scene.fake.images_once()).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("signature"), "{text}");
    }
}
