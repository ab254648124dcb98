//! Servers that refuse, break off, or are no primaries any more: told by fail points, which real
//! servers have for tests, too.

use futures::StreamExt;
use image::ImageId;
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use store::Error;

use super::{Server, unique};
use crate::conformance::{Opened, pattern, source};

/// More than a batch of chunks.
const SIZE: usize = 6_000_000;

/// A store whose commands fail when they are told to, and nobody else's.
struct Failing {
    opened: Opened,
    admin: Database,
    application: String,
}

impl Failing {
    async fn found() -> Option<Self> {
        let (server, name) = (Server::found()?, unique());
        let options = server.options(&name, &server.password);
        let options = options.replace("authSource", &format!("appName={name}&authSource"));
        let admin = Client::with_uri_str(&server.uri).await.unwrap().database("admin");
        let opened = Opened::of(server.subject(&name, options));
        Some(Self { opened, admin, application: name })
    }

    async fn fail(&self, mode: Document, mut data: Document) {
        data.insert("appName", &self.application);
        let point = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data };
        self.admin.run_command(point).await.unwrap();
    }

    async fn put(&self) -> store::Result<store::Written> {
        self.opened.store.put(ImageId::random(), None, source(pattern(SIZE))).await
    }

    /// A put fails as it should, and leaves nothing.
    async fn assert_put_fails(&self, what: &str, fits: impl Fn(&Error) -> bool) {
        let error = self.put().await.expect_err(what);
        assert!(fits(&error), "{what}: {error}");
        self.opened.store.settled().await;
        assert_eq!(self.opened.subject.held().await, Vec::<String>::new(), "{what}");
    }

    /// A put is done nevertheless.
    async fn assert_put_succeeds(&self, what: &str) {
        let written = self.put().await.expect(what);
        assert_eq!(self.opened.read(&written.uri).await.unwrap(), pattern(SIZE), "{what}");
        self.opened.store.delete(&written.uri).await.unwrap();
        assert_eq!(self.opened.subject.held().await, Vec::<String>::new(), "{what}");
    }
}

/// Whether an error is the one that is expected.
type Fits = fn(&Error) -> bool;

fn unavailable(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. })
}

#[tokio::test]
async fn what_the_server_refuses_is_told_and_undone() {
    let Some(failing) = Failing::found().await else { return };
    let cases: [(i32, Fits); 4] = [
        (14031, |error| matches!(error, Error::Full(_))),
        (13, |error| matches!(error, Error::Forbidden { .. })),
        (64, unavailable),
        (96, unavailable),
    ];
    for (code, fits) in cases {
        for skip in [0, 1, 2, 4] {
            let data = doc! { "failCommands": ["insert"], "errorCode": code };
            failing.fail(doc! { "skip": skip, "times": 1 }, data).await;
            failing.assert_put_fails(&format!("error {code} after {skip}"), fits).await;
        }
    }
}

/// The last insert is that of the file.
#[tokio::test]
async fn what_is_not_replicated_is_not_stored() {
    let Some(failing) = Failing::found().await else { return };
    let concern = doc! { "code": 64, "errmsg": "waiting for replication timed out" };
    for skip in [0, 1, 4] {
        let data = doc! { "failCommands": ["insert"], "writeConcernError": concern.clone() };
        failing.fail(doc! { "skip": skip, "times": 1 }, data).await;
        failing.assert_put_fails(&format!("after {skip}"), unavailable).await;
    }
}

#[tokio::test]
async fn batches_that_break_off_are_sent_again() {
    let Some(failing) = Failing::found().await else { return };
    failing.opened.store.probe().await.unwrap();
    // The first chunk, and the file itself, are sent once.
    let data = doc! { "failCommands": ["insert"], "closeConnection": true };
    failing.fail(doc! { "skip": 1, "times": 1 }, data).await;
    failing.assert_put_succeeds("a batch breaks off").await;
    let data = doc! { "failCommands": ["insert"], "errorCode": 10107 };
    failing.fail(doc! { "skip": 2, "times": 1 }, data).await;
    failing.assert_put_succeeds("the primary has stepped down").await;
}

#[tokio::test]
async fn reads_and_removals_are_asked_for_again() {
    let Some(failing) = Failing::found().await else { return };
    let written = failing.put().await.unwrap();
    for command in ["find", "delete"] {
        let data = doc! { "failCommands": [command], "closeConnection": true };
        failing.fail(doc! { "skip": 1, "times": 1 }, data).await;
        let got = failing.opened.read(&written.uri).await.unwrap();
        assert_eq!(got, pattern(SIZE), "{command}");
    }
    failing.opened.store.delete(&written.uri).await.unwrap();
    assert!(failing.opened.subject.held().await.is_empty());
}

/// A process that ends in the middle leaves chunks, and no file that is not whole.
#[tokio::test]
async fn the_file_comes_last() {
    let Some(failing) = Failing::found().await else { return };
    let stalls = source(pattern(SIZE)).chain(futures::stream::pending()).boxed();
    let (id, database) = (ImageId::random(), failing.application.clone());
    let files = failing.admin.client().database(&database).collection::<Document>("fs.files");
    let store = failing.opened.store.clone();
    let put = tokio::spawn(async move { store.put(id, Some(SIZE as u64), stalls).await });
    // The first chunk, and two batches.
    let held = async {
        while failing.opened.subject.held().await.len() < 1 + 2 * 8 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), held).await.expect("it is sent");
    assert!(files.find_one(doc! {}).await.unwrap().is_none());
    put.abort();
    assert!(put.await.is_err());
    failing.opened.store.settled().await;
    assert!(failing.opened.subject.held().await.is_empty());
}
