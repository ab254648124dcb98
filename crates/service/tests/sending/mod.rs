//! Downloads whose client is sent to the store.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use image::ImageId;
use serde_json::json;
use store::{Data, Direct, Error, FileStore, Secret, Source, Store, Stores, Written};
use tower::ServiceExt;

use super::{Fault, Service};

const URL: &str = "http://store.example/v1/a/c/o?temp_url_sig=x&temp_url_expires=1";

/// What a store says to whoever asks for a URL.
type Answer = fn() -> store::Result<Option<Direct>>;

/// A store of files that says so.
struct Sending {
    files: FileStore,
    answer: Mutex<Answer>,
}

#[async_trait]
impl Store for Sending {
    fn kind(&self) -> &'static str {
        "sending"
    }

    fn schemes(&self) -> &'static [&'static str] {
        self.files.schemes()
    }

    fn holds(&self, uri: &str) -> bool {
        self.files.holds(uri)
    }

    async fn put(&self, id: ImageId, hint: Option<u64>, data: Source) -> store::Result<Written> {
        self.files.put(id, hint, data).await
    }

    async fn open(&self, uri: &str, range: Range<u64>) -> store::Result<Data> {
        self.files.open(uri, range).await
    }

    async fn direct(&self, _: &str) -> store::Result<Option<Direct>> {
        let answer = *self.answer.lock().unwrap();
        answer()
    }

    async fn size(&self, uri: &str) -> store::Result<u64> {
        self.files.size(uri).await
    }

    async fn delete(&self, uri: &str) -> store::Result<()> {
        self.files.delete(uri).await
    }

    async fn discard(&self, id: ImageId) -> store::Result<bool> {
        self.files.discard(id).await
    }
}

fn five_bytes() -> store::Result<Option<Direct>> {
    Ok(Some(Direct { url: Secret::new(URL), size: 5 }))
}

fn six_bytes() -> store::Result<Option<Direct>> {
    Ok(Some(Direct { url: Secret::new(URL), size: 6 }))
}

fn none() -> store::Result<Option<Direct>> {
    Ok(None)
}

fn refused() -> store::Result<Option<Direct>> {
    Err(Error::Forbidden { store: "sending".into(), why: "the key is another".into() })
}

/// With five bytes in a store that sends clients on, and one of files beside it.
async fn service() -> (Service, Arc<Sending>) {
    let dir = tempfile::tempdir().unwrap();
    let files = |name: &str| FileStore::open(&dir.path().join(name)).unwrap();
    let (one, other) = (files("images"), files("others"));
    let sending = Arc::new(Sending { files: one, answer: Mutex::new(five_bytes) });
    let stores = Stores::single("sending", sending.clone()).with("other", Arc::new(other));
    let service = Service::over(dir, Fault::None, stores).await;
    assert_eq!(service.upload(Body::from("bytes")).await, StatusCode::NO_CONTENT);
    (service, sending)
}

impl Service {
    async fn download(&self, query: &str, headers: &[(&str, &str)]) -> Response {
        let path = format!("/v2/images/{}/file{query}", self.image);
        let request = Request::builder().uri(path).header("x-auth-token", "anybody");
        let add = |request: http::request::Builder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        let request = headers.iter().fold(request, add).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }
}

async fn bytes(answer: Response) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_client_is_sent_to_the_store() {
    let (service, _) = service().await;
    for headers in [&[][..], &[("range", "bytes=1-2")], &[("accept", "*/*")]] {
        let answer = service.download("", headers).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{headers:?}");
        assert_eq!(answer.headers()["location"], URL);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(!format!("{:?}", answer.headers()).contains("temp_url_sig"));
        assert_eq!(bytes(answer).await, "");
    }
}

#[tokio::test]
async fn what_the_store_would_answer_otherwise_is_answered_here() {
    let (service, _) = service().await;
    let etag = {
        let answer = service.download("", &[("if-match", "*")]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.headers()["etag"].to_str().unwrap().to_owned()
    };
    for (headers, status, expected) in [
        (vec![("if-match", &*etag)], StatusCode::OK, "bytes"),
        (vec![("if-none-match", "\"other\"")], StatusCode::OK, "bytes"),
        (vec![("if-range", &*etag), ("range", "bytes=1-2")], StatusCode::PARTIAL_CONTENT, "yt"),
        (vec![("content-range", "bytes 1-2/5")], StatusCode::PARTIAL_CONTENT, "yt"),
        (vec![("origin", "http://pages.example")], StatusCode::OK, "bytes"),
        (vec![("if-none-match", &*etag)], StatusCode::NOT_MODIFIED, ""),
    ] {
        let answer = service.download("", &headers).await;
        assert_eq!(answer.status(), status, "{headers:?}");
        assert_eq!(bytes(answer).await, expected, "{headers:?}");
    }
    for (headers, status) in [
        (vec![("if-match", "\"other\"")], StatusCode::PRECONDITION_FAILED),
        (vec![("range", "bytes=5-")], StatusCode::RANGE_NOT_SATISFIABLE),
        (vec![("range", "bytes=0-1,3-4")], StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(service.download("", &headers).await.status(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn bytes_that_no_url_opens_are_served() {
    let (service, sending) = service().await;
    for answer in [none as Answer, refused, six_bytes] {
        *sending.answer.lock().unwrap() = answer;
        let answer = service.download("", &[]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(bytes(answer).await, "bytes");
    }
}

#[tokio::test]
async fn the_store_that_is_read_first_decides() {
    let (service, _) = service().await;
    let copy = json!({ "method": { "name": "copy-image" }, "stores": ["other"] });
    assert_eq!(service.ask("POST", "/import", copy).await, StatusCode::ACCEPTED);
    service.tended(async || service.record().await.locations.len() == 2).await;
    for (query, status) in [
        ("", StatusCode::FOUND),
        ("?prefer=sending", StatusCode::FOUND),
        ("?prefer=other", StatusCode::OK),
    ] {
        assert_eq!(service.download(query, &[]).await.status(), status, "{query}");
    }
}

#[tokio::test]
async fn an_image_without_bytes_sends_nobody_on() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::open(&dir.path().join("images")).unwrap();
    let sending = Arc::new(Sending { files, answer: Mutex::new(five_bytes) });
    let service = Service::over(dir, Fault::None, Stores::single("sending", sending)).await;
    assert_eq!(service.download("", &[]).await.status(), StatusCode::NO_CONTENT);
}
