//! Answers that get lost, and tokens that are refused in the middle.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::Written;
use crate::testing::{Request, keystone};

const BYTES: &[u8] = &[7; 2_500_000];

/// What becomes of a request.
#[derive(Clone, Copy)]
enum Act {
    Answer,
    /// It is done, and the answer is lost.
    Lose,
    /// Another has stored an object meanwhile, and the answer is lost.
    Occupy,
    /// The token is not taken.
    Refuse,
}

/// The objects of a container: the upload that each is marked with.
type Kept = Arc<Mutex<BTreeMap<String, Option<String>>>>;

/// A container `glance`. The first request to put an object whose name ends so is dealt with so.
fn container(ending: &'static str, act: Act) -> (Peer, Kept) {
    let (kept, acts) = (Kept::default(), Mutex::new(vec![act]));
    let state = kept.clone();
    let endpoints = &[("object-store", "public", "one", "/v1/a")];
    let peer = Peer::new(move |request| {
        let granted = keystone::log_in(request, SignedDuration::from_hours(1), endpoints);
        granted.unwrap_or_else(|| {
            let is_it = request.method == "PUT" && request.path.ends_with(ending);
            let act = if is_it { acts.lock().unwrap().pop() } else { None };
            let mut kept = state.lock().unwrap();
            match act.unwrap_or(Act::Answer) {
                Act::Answer => answer(&mut kept, request),
                Act::Lose => {
                    answer(&mut kept, request);
                    Reply::lost()
                }
                Act::Occupy => {
                    kept.insert(object(request).to_owned(), None);
                    Reply::lost()
                }
                Act::Refuse => Reply::of(401, b""),
            }
        })
    });
    (peer, kept)
}

fn object(request: &Request) -> &str {
    let path = request.path.split('?').next().unwrap();
    path.strip_prefix("/v1/a/glance").unwrap().trim_start_matches('/')
}

fn answer(kept: &mut BTreeMap<String, Option<String>>, request: &Request) -> Reply {
    const MARK: &str = "x-object-meta-tintype-upload";
    let name = object(request).to_owned();
    match (request.method.as_str(), name.as_str()) {
        ("HEAD", "") => Reply::of(204, b""),
        ("GET", "") if request.path.ends_with("marker=") => {
            let (_, prefix) = request.path.split_once("prefix=").unwrap();
            let prefix = prefix.split('&').next().unwrap();
            let names = kept.keys().filter(|name| name.starts_with(prefix));
            Reply::json(200, &names.map(|name| json!({"name": name})).collect())
        }
        ("GET", "") => Reply::json(200, &json!([])),
        ("PUT", _) if request.header("if-none-match").is_some() && kept.contains_key(&name) => {
            Reply::of(412, b"")
        }
        ("PUT", _) => {
            kept.insert(name, request.header(MARK).map(str::to_owned));
            Reply::of(201, b"")
        }
        ("DELETE", _) => Reply::of(if kept.remove(&name).is_some() { 204 } else { 404 }, b""),
        _ => match kept.get(&name) {
            Some(Some(mark)) => Reply::of(204, b"").with(MARK, mark),
            Some(None) => Reply::of(204, b""),
            None => Reply::of(404, b""),
        },
    }
}

/// An image of three segments.
async fn stored(peer: &Peer, id: ImageId) -> Result<Written, Error> {
    let options = format!(
        "swift_store_auth_address = {}/v3\nswift_store_user = service:swift\n\
         swift_store_key = pw\nswift_store_large_object_size = 1\n\
         swift_store_large_object_chunk_size = 1",
        peer.url()
    );
    let store = store(&options).unwrap();
    store.put(id, Some(BYTES.len() as u64), source(BYTES)).await
}

/// The first log-in of a store, and another after a token was refused.
fn log_ins(peer: &Peer) -> usize {
    peer.asked("POST /v3/auth/tokens").len()
}

/// Only manifests end without the number of a segment.
fn manifest(id: ImageId) -> &'static str {
    id.to_string().leak()
}

#[tokio::test]
async fn a_manifest_whose_answer_got_lost_is_the_uploads_own() {
    let id = ImageId::random();
    let (peer, kept) = container(manifest(id), Act::Lose);
    assert_eq!(stored(&peer, id).await.unwrap().size, BYTES.len() as u64);
    assert_eq!(kept.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_manifest_of_another_stays() {
    let id = ImageId::random();
    let (peer, kept) = container(manifest(id), Act::Occupy);
    let error = stored(&peer, id).await.unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error}");
    assert_eq!(kept.lock().unwrap().get(&id.to_string()), Some(&None));
}

#[tokio::test]
async fn a_token_that_is_refused_in_the_middle_of_an_upload_is_renewed() {
    let id = ImageId::random();
    let (peer, kept) = container(manifest(id), Act::Refuse);
    stored(&peer, id).await.unwrap();
    assert_eq!((log_ins(&peer), kept.lock().unwrap().len()), (2, 4));
}

/// Its bytes are gone: the upload fails, and with the next token what it left is removed.
#[tokio::test]
async fn a_token_that_is_refused_with_a_segment_leaves_nothing() {
    let (peer, kept) = container("-00002", Act::Refuse);
    let error = stored(&peer, ImageId::random()).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    assert_eq!((log_ins(&peer), kept.lock().unwrap().len()), (2, 0));
}
