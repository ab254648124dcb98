//! What the options say is what a service is asked.

mod bucket;
mod failing;

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::*;
use crate::testing::{Peer, Reply, Request, is_believed_as_options_say, store};

const PART: usize = 5 << 20;

/// Options that lead to a service, and further ones.
fn at(peer: &Peer, more: &str) -> String {
    format!(
        "s3_store_host = {}\ns3_store_bucket = images\ns3_store_access_key = KEY\n\
         s3_store_secret_key = secret\n{more}",
        peer.url()
    )
}

#[tokio::test]
async fn requests_are_signed_for_the_region_that_options_name() {
    for (options, region) in [("", "us-east-1"), ("s3_store_region_name = eu-west-3", "eu-west-3")]
    {
        let peer = Peer::new(|_| Reply::of(200, b""));
        store("s3", &at(&peer, options)).unwrap().probe().await.unwrap();
        let asked = &peer.asked("HEAD /images")[0];
        let signed = asked.header("authorization").unwrap();
        assert!(signed.contains(&format!("/{region}/s3/aws4_request")), "{signed}");
    }
}

#[tokio::test]
async fn a_server_is_believed_by_whom_options_let() {
    let peer = Peer::secure(|_| Reply::of(200, b""));
    is_believed_as_options_say(&peer, "s3", &at(&peer, ""), "s3_store_cacert", &[]).await;
}

/// How many parts were on their way at the same time, at most.
#[derive(Default)]
struct Side {
    now: usize,
    most: usize,
}

/// A service that answers no part before as many of them are on their way as expected, and a little
/// later, for one more may come.
fn service(expected: usize) -> (Peer, Arc<Mutex<Side>>) {
    let side = Arc::<Mutex<Side>>::default();
    let (counted, came) = (side.clone(), Condvar::new());
    let peer = Peer::new(move |request: &Request| {
        if request.method == "PUT" && request.path.contains("partNumber=") {
            let mut side = counted.lock().unwrap();
            side.now += 1;
            side.most = side.most.max(side.now);
            came.notify_all();
            let (long, short) = (Duration::from_secs(20), Duration::from_millis(200));
            side = came.wait_timeout_while(side, long, |side| side.most < expected).unwrap().0;
            side = came.wait_timeout_while(side, short, |side| side.most <= expected).unwrap().0;
            side.now -= 1;
        }
        if request.method == "HEAD" && request.path != "/images" {
            return Reply::of(404, b"");
        }
        let upload = b"<Result><UploadId>u</UploadId></Result>";
        Reply::of(200, upload).with("ETag", "\"t\"")
    });
    (peer, side)
}

#[tokio::test]
async fn as_many_parts_are_sent_at_once_as_options_say() {
    for at_once in [1, 2] {
        let (peer, side) = service(at_once);
        let options = format!(
            "s3_store_large_object_size = 5\ns3_store_large_object_chunk_size = 5\n\
             s3_store_thread_pools = {at_once}"
        );
        let store = store("s3", &at(&peer, &options)).unwrap();
        let pieces = stream::iter((0..3).map(|_| Ok(Bytes::from(vec![0; PART])))).boxed();
        let written = store.put(ImageId::random(), Some(3 * PART as u64), pieces).await.unwrap();
        assert_eq!(written.size, 3 * PART as u64);
        assert_eq!(side.lock().unwrap().most, at_once);
    }
}

/// A service with a bucket, or without one, in which there is nothing.
fn empty(with_bucket: bool) -> Peer {
    Peer::new(move |request| match request.method.as_str() {
        "HEAD" if request.path == "/images" && with_bucket => Reply::of(200, b""),
        "HEAD" => Reply::of(404, b""),
        _ => Reply::of(200, b"<Result><UploadId>u</UploadId></Result>").with("ETag", "\"t\""),
    })
}

async fn put(peer: &Peer, options: &str, parts: usize) -> Result<Written> {
    let store = store("s3", &at(peer, options)).unwrap();
    let pieces = stream::iter((0..parts).map(|_| Ok(Bytes::from(vec![0; PART])))).boxed();
    store.put(ImageId::random(), Some((parts * PART) as u64), pieces).await
}

#[tokio::test]
async fn objects_are_cut_where_options_say() {
    for (options, parts) in [
        ("", 0),
        ("s3_store_large_object_size = 5", 2),
        ("s3_store_large_object_size = 5\ns3_store_large_object_chunk_size = 5", 3),
    ] {
        let peer = empty(true);
        put(&peer, options, 3).await.unwrap();
        let sent = peer.asked("PUT /images/");
        let sent = sent.iter().filter(|request| request.path.contains("partNumber="));
        assert_eq!(sent.count(), parts, "{options}");
    }
}

#[tokio::test]
async fn a_bucket_is_made_where_options_say() {
    for (options, is_made) in [("", false), ("s3_store_create_bucket_on_put = true", true)] {
        let peer = empty(false);
        let done = put(&peer, options, 0).await;
        assert_eq!(done.is_ok(), is_made, "{options}: {done:?}");
        let asked = peer.asked("PUT /images");
        assert_eq!(asked.iter().any(|request| request.path == "/images"), is_made, "{options}");
    }
}

/// Amazon's first region is meant where none is named, and refused where it is.
#[tokio::test]
async fn a_bucket_is_made_in_the_region_that_options_name() {
    for (options, named) in [
        ("", None),
        ("s3_store_region_name = us-east-1", None),
        ("s3_store_region_name = eu-west-3", Some("eu-west-3")),
    ] {
        let peer = empty(false);
        put(&peer, &format!("s3_store_create_bucket_on_put = true\n{options}"), 0).await.unwrap();
        let asked = peer.asked("PUT /images");
        let made = asked.iter().find(|request| request.path == "/images").unwrap();
        let region = answer::text(made.text(), "LocationConstraint");
        assert_eq!(region.as_deref(), named, "{options}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_elsewhere_is_said_with_the_option_that_leads_there() {
    for (status, header, body, told) in [
        (301, "eu-west-3", "", "in the region 'eu-west-3': set s3_store_region_name = eu-west-3"),
        (400, "eu-west-3", "", "set s3_store_region_name = eu-west-3"),
        (301, "us-east-1", "", "s3_store_host"),
        (307, "", "<Error><Endpoint>b.s3.example</Endpoint></Error>", "at 'b.s3.example'"),
        (400, "", "<Error><Region>eu-west-3</Region></Error>", "region 'eu-west-3'"),
        (400, "us-east-1", "<Error><Code>InvalidRequest</Code></Error>", "400 InvalidRequest"),
    ] {
        let peer = Peer::new(move |request| match request.method.as_str() {
            "GET" => Reply::of(status, body.as_bytes()).with("x-amz-bucket-region", header),
            _ => Reply::of(200, b""),
        });
        let store = store("s3", &at(&peer, "")).unwrap();
        let uri = format!("s3://{}/images/x", peer.address);
        let error = store.open(&uri, 0..1).await.err().unwrap().to_string();
        assert!(error.contains("the bucket 'images'") || told.contains("400"), "{error}");
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn what_can_not_be_is_named() {
    let peer = Peer::new(|_| Reply::of(200, b""));
    for (wrong, expected) in [
        ("s3_store_thread_pools = 0", "s3_store_thread_pools: expected at least 1"),
        ("s3_store_large_object_chunk_size = 4", "at least 5 (MiB)"),
        ("s3_store_bucket_url_format = host", "auto, virtual or path"),
        ("s3_store_secret_key =", "s3_store_secret_key"),
    ] {
        let error = store("s3", &at(&peer, wrong)).err().expect(wrong);
        assert!(error.contains(expected), "{wrong}: {error}");
    }
}
