//! Whatever fails leaves nothing, and says so in time.

use futures::{FutureExt, StreamExt, stream};
use image::ImageId;
use store::Error;

use super::bytes::{PATIENCE, acting, all, assert_same, pattern, source, source_then};
use super::{Opened, Outcome, Proxy, Subject};
use Outcome::{NotApplicable, Passed};

/// Long enough that a store has begun to send something, whatever it gathers first.
fn much(opened: &Opened) -> Vec<u8> {
    let largest = opened.abilities().boundaries.into_iter().max().unwrap_or(1);
    pattern(2 * largest.min(64 << 20) as usize + 1000)
}

pub(crate) async fn source_fails(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let before = opened.subject.held().await;
    for bytes in [Vec::new(), b"a little".to_vec(), much(&opened)] {
        let failing = stream::iter([Err("the connection is reset".into())]).boxed();
        let id = ImageId::random();
        let error = opened.put_failing(id, source_then(bytes, failing)).await;
        assert!(matches!(error, Error::Source(_)), "{error}");
        opened.assert_nothing_of(id, &before).await;
    }
    Passed
}

pub(crate) async fn cancelled(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let before = opened.subject.held().await;
    for bytes in [Vec::new(), b"a little".to_vec(), much(&opened)] {
        let (reached, told) = tokio::sync::oneshot::channel::<()>();
        let told = told.map(|_| ());
        let stalls = acting(move || drop(reached)).chain(stream::pending()).boxed();
        let id = ImageId::random();
        let putting = opened.store.put(id, None, source_then(bytes, stalls));
        tokio::select! {
            _ = putting => panic!("it never ends"),
            // All bytes are taken; some of them are on their way.
            () = told => {}
        }
        opened.assert_nothing_of(id, &before).await;
    }
    Passed
}

pub(crate) async fn wrong_credentials(subject: Subject) -> Outcome {
    let Some(options) = subject.wrong_credentials.clone() else { return NotApplicable };
    let server = subject.server;
    let opened = Opened::with(subject, &options, server);
    let id = ImageId::random();
    let errors = [
        opened.store.probe().await.err(),
        Some(opened.put_failing(id, source(pattern(100_000))).await),
    ];
    for error in errors {
        let error = error.expect("the credentials are wrong");
        assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    }
    Passed
}

pub(crate) async fn server_gone_in_put(subject: Subject) -> Outcome {
    let Some(server) = subject.server else { return NotApplicable };
    let proxy = Proxy::before(server).await;
    let options = subject.options.clone();
    let opened = Opened::with(subject, &options, Some(proxy.address));
    if !opened.writable() {
        return NotApplicable;
    }
    opened.store.probe().await.unwrap();
    let (id, before) = (ImageId::random(), opened.subject.held().await);
    let rest = acting(proxy.cutter()).chain(source(much(&opened))).boxed();
    let put = opened.store.put(id, None, source_then(much(&opened), rest));
    let put = tokio::time::timeout(PATIENCE, put).await.expect("it waits without end");
    let error = put.expect_err("the server is gone");
    assert!(is_away(&error), "{error}");
    proxy.mend();
    // What could not be removed while the server was away, the next start's sweep removes.
    opened.store.settled().await;
    opened.store.discard(id).await.unwrap();
    opened.assert_nothing_of(id, &before).await;
    Passed
}

pub(crate) async fn server_gone_in_get(subject: Subject) -> Outcome {
    let Some(server) = subject.server else { return NotApplicable };
    let proxy = Proxy::before(server).await;
    let direct = Opened::of(subject);
    let bytes = pattern(48_000_000);
    let uri = direct.having(&bytes).await;
    let through = uri.replace(&server.to_string(), &proxy.address.to_string());
    let options = direct.subject.options.clone();
    let opened = Opened::with(direct.subject, &options, Some(proxy.address));
    let mut data = opened.store.open(&through, 0..bytes.len() as u64).await.unwrap();
    let first = data.next().await.unwrap().unwrap();
    assert_same(&first, &bytes[..first.len()], "the first piece");
    proxy.cut();
    let rest = tokio::time::timeout(PATIENCE, all(data)).await.expect("it waits without end");
    match rest {
        // All of it was under way.
        Ok(rest) => assert_same(&rest, &bytes[first.len()..], "the rest"),
        Err(error) => assert!(is_away(&error), "{error}"),
    }
    proxy.mend();
    assert_same(&opened.read(&through).await.unwrap(), &bytes, "once the server is back");
    if opened.writable() {
        opened.store.delete(&through).await.unwrap();
    }
    Passed
}

/// The store can be made, and says what is wrong when it is used; it recovers by itself.
pub(crate) async fn server_away(subject: Subject) -> Outcome {
    let Some(server) = subject.server else { return NotApplicable };
    let proxy = Proxy::before(server).await;
    proxy.cut();
    let options = subject.options.clone();
    let opened = Opened::with(subject, &options, Some(proxy.address));
    if !opened.writable() {
        return NotApplicable;
    }
    let probing = tokio::time::timeout(PATIENCE, opened.store.probe()).await;
    let error = probing.expect("it waits without end").expect_err("the server is away");
    assert!(is_away(&error), "{error}");
    proxy.mend();
    opened.store.probe().await.unwrap();
    opened.round(&pattern(100_000), None).await;
    Passed
}

fn is_away(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Remote(_) | Error::Io { .. })
}
