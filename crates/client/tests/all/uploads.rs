//! Uploads, whole and broken.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Method, StatusCode, header};
use client::{Error, Image, Images, NewImage, Progress, Source};

use crate::fake_glance::{Fault, bytes, start};

const SIZE: usize = 5_000_003;

async fn created(images: &Images) -> Image {
    images.create(&NewImage::named("disk").disk_format("raw")).await.unwrap()
}

#[tokio::test]
async fn a_file_goes_up_with_its_length() {
    let fake = start().await;
    let images = fake.images();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("disk.raw");
    fs::write(&path, bytes(SIZE)).unwrap();

    let last = Arc::new(AtomicU64::new(0));
    let listener = Arc::clone(&last);
    let progress = Progress::new(move |position| listener.store(position, Ordering::SeqCst));
    let image = created(&images).await;
    let image = images.upload(&image.id, Source::file(&path).unwrap(), &progress).await.unwrap();

    assert_eq!((image.status.as_str(), image.size), ("active", Some(SIZE as u64)));
    assert!(fake.images.lock().unwrap()[0].1 == bytes(SIZE), "other bytes arrived");
    assert_eq!(last.load(Ordering::SeqCst), SIZE as u64);
    let sent = &fake.seen(Method::PUT, "/file")[0].headers;
    assert_eq!(sent[header::CONTENT_LENGTH], SIZE.to_string());
    assert!(!sent.contains_key(header::TRANSFER_ENCODING));
}

#[tokio::test]
async fn a_reader_gives_as_many_bytes_as_announced() {
    let fake = start().await;
    let images = fake.images();
    let image = created(&images).await;
    let source = Source::reader(std::io::repeat(7), 2_000_000);
    images.upload(&image.id, source, &Progress::none()).await.unwrap();
    assert!(fake.images.lock().unwrap()[0].1 == vec![7; 2_000_000]);
}

#[tokio::test]
async fn an_empty_file_is_an_upload_too() {
    let fake = start().await;
    let images = fake.images();
    let image = created(&images).await;
    let source = Source::reader(std::io::empty(), 0);
    let image = images.upload(&image.id, source, &Progress::none()).await.unwrap();
    assert_eq!((image.status.as_str(), image.size), ("active", Some(0)));
}

#[tokio::test]
async fn a_source_that_ends_early_is_told_with_the_state_of_the_image() {
    let fake = start().await;
    let images = fake.images();
    let image = created(&images).await;
    let source = Source::reader(std::io::repeat(7).take(1_500_000), 2_000_000);
    let error = images.upload(&image.id, source, &Progress::none()).await.unwrap_err();
    assert!(
        matches!(&error, Error::UploadBroken { state, .. } if state == "'queued'"),
        "{error:?}"
    );
    assert!(format!("{error:?}").contains("the source ended before its length was reached"));
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_with_the_state_of_the_image() {
    let fake = start().await;
    let images = fake.images();
    let image = created(&images).await;
    fake.fail(Method::PUT, "/file", Fault::BreakAfter(100_000));
    let source = Source::reader(std::io::repeat(7), 50_000_000);
    let error = images.upload(&image.id, source, &Progress::none()).await.unwrap_err();
    assert!(error.to_string().ends_with("the image is now 'queued'"), "{error}");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_service_and_not_repeated() {
    let fake = start().await;
    let images = fake.images();
    let image = created(&images).await;
    fake.fail(Method::PUT, "/file", Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    let source = Source::reader(std::io::repeat(7), 10);
    let error = images.upload(&image.id, source, &Progress::none()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(format!("{error:?}").contains("the service says no"), "{error:?}");
    assert_eq!(fake.seen(Method::PUT, "/file").len(), 1);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for path in ["/nonexistent.raw", "/"] {
        let error = Source::file(path).err().unwrap();
        assert!(error.to_string().starts_with(path), "{error}");
    }
}
