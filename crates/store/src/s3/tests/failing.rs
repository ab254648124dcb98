//! Services that fail in the middle, and answers that get lost.

use futures::TryStreamExt;

use super::bucket::{Act, OF_ANOTHER, bucket, error};
use super::*;

/// An image of that many bytes, for parts of 5 MiB, and what the store makes of it.
async fn stored(peer: &Peer, id: ImageId, bytes: &[u8]) -> (Arc<dyn Store>, Result<Written>) {
    let options = "s3_store_large_object_size = 5\ns3_store_large_object_chunk_size = 5";
    let store = store("s3", &at(peer, options)).unwrap();
    let pieces: Vec<_> = bytes.chunks(1 << 20).map(|p| Ok(Bytes::copy_from_slice(p))).collect();
    let length = Some(bytes.len() as u64);
    let written = store.put(id, length, stream::iter(pieces).boxed()).await;
    (store, written)
}

/// Bytes of an object that is sent whole, and of one that is sent in three parts.
fn images() -> [Vec<u8>; 2] {
    [3, 12 << 20].map(|length: usize| (0..length).map(|n| (n / 999) as u8).collect())
}

#[tokio::test]
async fn what_an_attempt_has_stored_whose_answer_got_lost_is_the_upload() {
    for (bytes, lost) in images().iter().zip(["PUT", "POST complete"]) {
        let (peer, kept) = bucket(move |what, _, times| match times {
            0 if what == lost => Act::Lose,
            _ => Act::Answer,
        });
        let id = ImageId::random();
        let (_, written) = stored(&peer, id, bytes).await;
        assert_eq!(written.expect(lost).size, bytes.len() as u64);
        assert!(kept.lock().unwrap().objects[&id.to_string()] == *bytes, "{lost}");
        assert!(kept.lock().unwrap().uploads.is_empty(), "{lost}");
    }
}

#[tokio::test]
async fn what_another_has_stored_meanwhile_stays() {
    for (bytes, lost) in images().iter().zip(["PUT", "POST complete"]) {
        let (peer, kept) = bucket(move |what, _, times| match times {
            0 if what == lost => Act::Occupy,
            _ => Act::Answer,
        });
        let id = ImageId::random();
        let (_, written) = stored(&peer, id, bytes).await;
        assert!(matches!(written, Err(Error::Exists(_))), "{lost}: {written:?}");
        assert_eq!(kept.lock().unwrap().objects[&id.to_string()], OF_ANOTHER, "{lost}");
        assert!(kept.lock().unwrap().uploads.is_empty(), "{lost}");
    }
}

/// Each request fails once: some by a status, and the one that takes long in a success.
#[tokio::test]
async fn a_transfer_comes_through_a_service_that_is_overloaded() {
    for bytes in images() {
        let (peer, kept) = bucket(|what, _, times| match (times, what) {
            (0, "POST complete") => Act::Instead(error(200, "InternalError")),
            (0, "HEAD" | "PUT" | "GET" | "PUT part 2") => Act::Instead(error(503, "SlowDown")),
            (0, _) => Act::Instead(error(500, "InternalError")),
            _ => Act::Answer,
        });
        let (store, written) = stored(&peer, ImageId::random(), &bytes).await;
        let uri = written.unwrap().uri;
        let pieces = store.open(&uri, 0..bytes.len() as u64).await.unwrap();
        let read: Vec<Bytes> = pieces.try_collect().await.unwrap();
        assert!(read.concat() == bytes);
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
        let [_, bytes] = images();
        let id = ImageId::random();
        let (store, written) = stored(&peer, id, &bytes).await;
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
    for bytes in images() {
        let (store, written) = stored(&peer, ImageId::random(), &bytes).await;
        assert_eq!(written.unwrap().size, bytes.len() as u64);
        let again = store.put(ImageId::random(), Some(0), stream::empty().boxed()).await;
        assert_eq!(again.unwrap().size, 0);
    }
    assert_eq!(kept.lock().unwrap().objects.len(), 4);
}
