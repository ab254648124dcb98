//! Services that fail in the middle, and answers that get lost.

use futures::TryStreamExt;

use super::bucket::{Act, OF_ANOTHER, bucket, error};
use super::*;

/// An image that is sent, and what the store makes of it.
async fn stored(peer: &Peer, id: ImageId, image: &Sent) -> (Arc<dyn Store>, Result<Written>) {
    let Sent { bytes, options, .. } = image;
    let store = store("s3", &at(peer, options)).unwrap();
    let pieces: Vec<_> = bytes.chunks(1 << 20).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    let length = Some(bytes.len() as u64);
    let written = store.put(id, length, stream::iter(pieces).boxed()).await;
    (store, written)
}

struct Sent {
    bytes: Vec<u8>,
    options: &'static str,
    /// The request that makes the object.
    last: &'static str,
}

/// Images that are sent in one request, which are held before or meanwhile, and in three parts.
fn images() -> [Sent; 3] {
    const PARTS: &str = "s3_store_large_object_size = 5\ns3_store_large_object_chunk_size = 5";
    [(3, "", "PUT"), (12 << 20, "", "PUT"), (12 << 20, PARTS, "POST complete")].map(
        |(length, options, last)| {
            let bytes = (0..length).map(|n: usize| (n / 999) as u8).collect();
            Sent { bytes, options, last }
        },
    )
}

#[tokio::test]
async fn what_an_attempt_has_stored_whose_answer_got_lost_is_the_upload() {
    for image in images() {
        let lost = image.last;
        let (peer, kept) = bucket(move |what, _, times| match times {
            0 if what == lost => Act::Lose,
            _ => Act::Answer,
        });
        let id = ImageId::random();
        let (_, written) = stored(&peer, id, &image).await;
        assert_eq!(written.expect(lost).size, image.bytes.len() as u64);
        assert!(kept.lock().unwrap().objects[&id.to_string()] == image.bytes, "{lost}");
        assert!(kept.lock().unwrap().uploads.is_empty(), "{lost}");
    }
}

#[tokio::test]
async fn what_another_has_stored_meanwhile_stays() {
    for image in images() {
        let lost = image.last;
        let (peer, kept) = bucket(move |what, _, times| match times {
            0 if what == lost => Act::Occupy,
            _ => Act::Answer,
        });
        let id = ImageId::random();
        let (_, written) = stored(&peer, id, &image).await;
        assert!(matches!(written, Err(Error::Exists(_))), "{lost}: {written:?}");
        assert_eq!(kept.lock().unwrap().objects[&id.to_string()], OF_ANOTHER, "{lost}");
        assert!(kept.lock().unwrap().uploads.is_empty(), "{lost}");
    }
}

/// Each request fails once: some by a status, and the one that takes long in a success.
#[tokio::test]
async fn a_transfer_comes_through_a_service_that_is_overloaded() {
    for image in images() {
        let (peer, kept) = bucket(|what, _, times| match (times, what) {
            (0, "POST complete") => Act::Instead(error(200, "InternalError")),
            (0, "HEAD" | "PUT" | "GET" | "PUT part 2") => Act::Instead(error(503, "SlowDown")),
            (0, _) => Act::Instead(error(500, "InternalError")),
            _ => Act::Answer,
        });
        let (store, written) = stored(&peer, ImageId::random(), &image).await;
        let uri = written.unwrap().uri;
        let pieces = store.open(&uri, 0..image.bytes.len() as u64).await.unwrap();
        let read: Vec<Bytes> = pieces.try_collect().await.unwrap();
        assert!(read.concat() == image.bytes);
        store.delete(&uri).await.unwrap();
        assert!(kept.lock().unwrap().objects.is_empty());
    }
}

/// Also where the service may not list uploads: it has begun this one itself.
#[tokio::test]
async fn parts_of_an_upload_that_fails_are_removed() {
    for may_list in [true, false] {
        let (peer, kept) = bucket(move |what, _, _| match what {
            "PUT part 3" => Act::Instead(error(400, "InvalidDigest")),
            "GET uploads" if !may_list => Act::Instead(error(403, "AccessDenied")),
            _ => Act::Answer,
        });
        let [.., image] = images();
        let id = ImageId::random();
        let (store, written) = stored(&peer, id, &image).await;
        assert!(written.unwrap_err().to_string().contains("InvalidDigest"));
        assert!(kept.lock().unwrap().uploads.is_empty(), "{may_list}");
        assert_eq!(peer.asked("POST /images/").len(), 1);
        // Who knows no upload has to look for some.
        match store.discard(id).await {
            Ok(found) => assert!(may_list && !found),
            Err(error) => {
                assert!(!may_list && error.to_string().contains("s3:ListBucketMultipartUploads"));
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_knows_no_conditions_is_asked_for_none() {
    let (peer, kept) = bucket(|_, request, _| match request.header("if-none-match") {
        Some(_) => Act::Instead(error(501, "NotImplemented")),
        None => Act::Answer,
    });
    for image in images() {
        let (store, written) = stored(&peer, ImageId::random(), &image).await;
        assert_eq!(written.unwrap().size, image.bytes.len() as u64);
        let again = store.put(ImageId::random(), Some(0), stream::empty().boxed()).await;
        assert_eq!(again.unwrap().size, 0);
    }
    assert_eq!(kept.lock().unwrap().objects.len(), 6);
}

/// What is larger than what may be held is sent in parts.
#[tokio::test]
async fn whatever_is_sent_can_be_sent_again() {
    for (mib, parts) in [(40, 0), (41, 5)] {
        let (peer, _) = bucket(|_, _, _| Act::Answer);
        let image = Sent { bytes: vec![7; mib << 20], options: "", last: "" };
        stored(&peer, ImageId::random(), &image).await.1.unwrap();
        let sent = peer.asked("PUT /images/");
        let sent = sent.iter().filter(|request| request.path.contains("partNumber="));
        assert_eq!(sent.count(), parts, "{mib}");
    }
}
