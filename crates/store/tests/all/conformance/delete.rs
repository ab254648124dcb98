//! What is deleted is gone, and nothing else.

use futures::StreamExt;
use image::ImageId;
use store::Error;

use super::bytes::{all, assert_same, pattern, source};
use super::{Opened, Outcome, Subject};
use Outcome::{NotApplicable, Passed};

pub(crate) async fn deletes(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let kept = opened.put(b"kept", Some(4)).await;
    let gone = opened.put(b"gone", Some(4)).await;
    opened.store.delete(&gone.uri).await.unwrap();
    assert!(matches!(opened.store.size(&gone.uri).await, Err(Error::NotFound(_))));
    assert_eq!(opened.read(&kept.uri).await.unwrap(), b"kept");
    opened.store.delete(&kept.uri).await.unwrap();
    Passed
}

pub(crate) async fn absent(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let written = opened.put(b"x", None).await;
    opened.store.delete(&written.uri).await.unwrap();
    let again = opened.store.delete(&written.uri).await;
    assert!(matches!(again, Err(Error::NotFound(_))), "{again:?}");
    assert!(!opened.store.discard(ImageId::random()).await.unwrap());
    Passed
}

/// Its bytes or an error; never others, never fewer. Or the deletion is refused.
pub(crate) async fn while_reading(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let bytes = pattern(24_000_000);
    let uri = opened.having(&bytes).await;
    let mut data = opened.store.open(&uri, 0..bytes.len() as u64).await.unwrap();
    let first = data.next().await.unwrap().unwrap();
    assert_same(&first, &bytes[..first.len()], "the first piece");
    let deleted = opened.store.delete(&uri).await;
    match all(data).await {
        Ok(rest) => assert_same(&rest, &bytes[first.len()..], "the rest"),
        Err(error) => assert!(deleted.is_ok(), "the deletion is refused, but: {error}"),
    }
    match deleted {
        Err(Error::InUse { .. }) => opened.store.delete(&uri).await.unwrap(),
        other => other.unwrap(),
    }
    Passed
}

pub(crate) async fn discards(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let id = ImageId::random();
    let written = opened.store.put(id, None, source(pattern(100_000))).await.unwrap();
    assert!(opened.store.discard(id).await.unwrap());
    assert!(matches!(opened.store.size(&written.uri).await, Err(Error::NotFound(_))));
    assert!(!opened.store.discard(id).await.unwrap());
    Passed
}
