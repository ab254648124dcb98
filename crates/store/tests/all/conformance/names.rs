//! Names and locations: what operators name may be odd, what records say leads back, what is
//! secret stays so.

use std::fmt::Write;

use image::{ImageId, Location};
use serde_json::Value;
use store::Stores;

use super::bytes::{assert_same, pattern, source};
use super::opened::NAME;
use super::{Opened, Outcome, Subject};
use Outcome::{NotApplicable, Passed};

pub(crate) async fn odd(subject: Subject) -> Outcome {
    let Some(options) = subject.odd_names.clone() else { return NotApplicable };
    let server = subject.server;
    let opened = Opened::with(subject, &options, server);
    let bytes = pattern(700_000);
    let written = opened.put(&bytes, Some(bytes.len() as u64)).await;
    assert!(opened.store.holds(&written.uri), "{}", written.uri);
    assert!(written.uri.chars().all(|c| !c.is_control()), "{:?}", written.uri);
    assert_same(&opened.read(&written.uri).await.unwrap(), &bytes, &written.uri);
    opened.store.delete(&written.uri).await.unwrap();
    Passed
}

/// A location as a record keeps it, read by a service that was started later.
pub(crate) async fn through_the_catalog(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    let bytes = pattern(100_000);
    let uri = opened.having(&bytes).await;
    let location = opened.stores.location(NAME, uri);
    let (value, metadata) =
        (location.uri.clone(), Value::Object(location.description()).to_string());
    let later = Opened::of(opened.subject);
    let Value::Object(metadata) = serde_json::from_str(&metadata).unwrap() else { panic!() };
    let read = Location::described(value, metadata);
    assert_eq!(read.store.as_deref(), Some(NAME));
    assert_leads_back(&later.stores, &read);
    // As Glance wrote them before stores had names.
    let unnamed = later.stores.found(&read.uri);
    assert_eq!(unnamed.store.as_deref(), Some(NAME));
    assert_same(&later.read(&read.uri).await.unwrap(), &bytes, &read.uri);
    if later.writable() {
        later.store.delete(&read.uri).await.unwrap();
    }
    Passed
}

fn assert_leads_back(stores: &Stores, location: &Location) {
    let store = stores.holding(location).unwrap();
    assert!(store.holds(&location.uri), "{}", location.uri);
}

/// No text that may be shown or logged has a secret in it.
pub(crate) async fn secrets_stay(mut subject: Subject) -> Outcome {
    let secrets = std::mem::take(&mut subject.secrets);
    if secrets.is_empty() {
        return NotApplicable;
    }
    let mut texts = String::new();
    let wrong = subject.wrong_credentials.clone().unwrap_or_else(|| subject.options.clone());
    // Nobody listens on the port of TCP's multiplexer.
    let nowhere = subject.server.map(|_| "127.0.0.1:1".parse().unwrap());
    let server = subject.server;
    let opened = Opened::of(subject);
    let written = opened.put(b"x", None).await;
    let _ = write!(texts, "{} {:?}", written.uri, opened.store.properties());
    let _ = write!(texts, "{:?}", opened.store.metadata(&written.uri));
    let taken = opened.store.put(ImageId::random(), Some(1), source(b"y".to_vec())).await.unwrap();
    for uri in [&written.uri, &taken.uri] {
        opened.store.delete(uri).await.unwrap();
        let _ = write!(texts, "{:?}", opened.store.size(uri).await);
    }
    let opened = Opened::with(opened.subject, &wrong, server);
    let failed = opened.store.probe().await;
    let _ = write!(texts, "{failed:?}");
    let options = opened.subject.options.clone();
    let opened = Opened::with(opened.subject, &options, nowhere);
    if nowhere.is_some() {
        let error = opened.store.probe().await.expect_err("nobody is there");
        let _ = write!(texts, "{error} {error:?}");
    }
    for secret in secrets {
        assert!(!texts.contains(&secret), "a secret shows");
    }
    Passed
}
