//! What is asked of a real sheep is what its own `dog` asked.

mod recorded;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::net::TcpListener;

use super::location::Address;
use super::*;
use recorded::{Recorded, pattern};

fn image_1(recorded: &Recorded) -> Vdi {
    Vdi { node: recorded.node.clone(), name: "img-1".to_owned() }
}

fn source(bytes: Vec<u8>) -> Source {
    stream::iter([Ok(Bytes::from(bytes))]).boxed()
}

#[tokio::test]
async fn vdis_are_made_as_recorded() {
    let recorded = Recorded::of(&["create", "create-again"]).await;
    let vdi = image_1(&recorded);
    assert_eq!(vdi.create(5_000_000).await.unwrap(), 0x5b_962e);
    assert!(matches!(vdi.create(5_000_000).await, Err(Error::Exists(uri)) if uri == vdi.uri()));
    drop(vdi);
    recorded.ended().await;
}

#[tokio::test]
async fn images_are_written_as_recorded() {
    let recorded = Recorded::of(&["create", "write"]).await;
    let upload = Upload::to(image_1(&recorded));
    let sent = upload.send(Some(5_000_000), 64 << 20, source(pattern(0, 5_000_000))).await;
    assert_eq!(sent.unwrap(), 5_000_000);
    drop(upload);
    recorded.ended().await;
}

#[tokio::test]
async fn images_are_read_as_recorded() {
    let recorded = Recorded::of(&["read"]).await;
    let vdi = image_1(&recorded);
    let inode = vdi.inode(Caching::Bypassed).await.unwrap();
    let data = resuming(Object::of(vdi, inode), 0..5_000_000).await.unwrap();
    let pieces: Vec<Bytes> = data.try_collect().await.unwrap();
    assert!(pieces.concat() == pattern(0, 5_000_000));
    recorded.ended().await;
}

#[tokio::test]
async fn snapshots_are_made_as_recorded() {
    let recorded = Recorded::of(&["snapshot"]).await;
    let snapshot = image_1(&recorded).snapshot("snap").await.unwrap();
    assert_eq!((snapshot.vdi, snapshot.size), (0x5b_962e, 5_000_000));
    recorded.ended().await;
}

#[tokio::test]
async fn vdis_are_resized_as_recorded() {
    let recorded = Recorded::of(&["resize"]).await;
    image_1(&recorded).resize(6_000_000).await.unwrap();
    recorded.ended().await;
}

#[tokio::test]
async fn vdis_are_removed_as_recorded() {
    let recorded = Recorded::of(&["delete"]).await;
    image_1(&recorded).remove("").await.unwrap();
    recorded.ended().await;
}

#[tokio::test]
async fn what_is_absent_is_looked_for_as_recorded() {
    let recorded = Recorded::of(&["absent"]).await;
    let absent = Vdi { node: recorded.node.clone(), name: "nope".to_owned() };
    assert!(matches!(absent.find().await, Err(Error::NotFound(uri)) if uri == absent.uri()));
    drop(absent);
    recorded.ended().await;
}

/// A node that takes connections and says nothing ever.
#[tokio::test]
async fn silence_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address { host: "127.0.0.1".to_owned(), port };
    let mut node = Node::at(address, "sheep");
    node.silence = Duration::from_millis(50);
    let error = Vdi { node: Arc::new(node), name: "x".to_owned() }.find().await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("there was no answer"), "{error}");
}
