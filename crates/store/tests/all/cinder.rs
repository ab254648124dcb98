//! Volumes of a Cinder over Ceph, found by `TEST_CINDER_URL`, `TEST_KEYSTONE_URL` and
//! `TEST_CEPH_CONF`.

use std::env::var;

use bytes::Bytes;
use futures::{StreamExt, stream};
use image::ImageId;
use store::Original;

use crate::conformance::{Opened, Subject, suite};
use crate::keystone::project;

const GIB: u64 = 1 << 30;

/// Cinder's URL is given, so that the proxies of the tests stand before it.
async fn volumes() -> Option<Subject> {
    let cinder = var("TEST_CINDER_URL").ok()?;
    let (auth, password) = (var("TEST_KEYSTONE_URL").ok()?, var("TEST_KEYSTONE_PASSWORD").ok()?);
    let conf = var("TEST_CEPH_CONF").ok()?;
    let (address, path) = cinder.strip_prefix("http://")?.split_once('/')?;
    let project = project(&auth, &password).await;
    let options = |password: &str| {
        format!(
            "cinder_store_auth_address = {auth}\ncinder_store_user_name = admin\n\
             cinder_store_password = {password}\ncinder_store_project_name = admin\n\
             cinder_endpoint_template = http://{{server}}/{path}/{project}\n\
             rbd_store_ceph_conf = {conf}"
        )
    };
    Some(Subject {
        server: Some(address.parse().unwrap()),
        wrong_credentials: Some(options("not-this-one")),
        secrets: vec![password.clone(), "not-this-one".to_owned()],
        ..Subject::new("cinder", options(&password))
    })
}

/// An image of zeros and one byte more than a volume has at first, whose length nobody knows.
async fn grows(options: &str) {
    let Some(subject) = volumes().await else { return };
    let options = format!("{}\n{options}", subject.options);
    let server = subject.server;
    let opened = Opened::with(subject, &options, server);
    let zeros = Bytes::from(vec![0; 1 << 20]);
    let pieces = stream::repeat(zeros).take(1024).chain(stream::iter([Bytes::from_static(b"x")]));
    let source = pieces.map(Ok).boxed();
    let written = opened.store.put(ImageId::random(), None, source).await.unwrap();
    assert_eq!(written.size, GIB + 1);
    assert_eq!(opened.store.size(&written.uri).await.unwrap(), GIB + 1);
    let end = opened.store.open(&written.uri, GIB - 1..GIB + 1).await.unwrap();
    let end: Vec<_> = end.map(|piece| piece.unwrap()).collect().await;
    assert_eq!(end.concat(), b"\0x");
    opened.store.delete(&written.uri).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_grows() {
    grows("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_grows_while_it_is_attached() {
    grows("cinder_do_extend_attached = true").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_a_clone() {
    let Some(subject) = volumes().await else { return };
    let opened = Opened::of(subject);
    let written = opened.put(b"an image", None).await;
    let from = Original { store: &*opened.store, uri: &written.uri };
    let copy = opened.store.copy(ImageId::random(), from).await.unwrap().unwrap();
    assert_eq!(copy.size, 8);
    assert_ne!(copy.uri, written.uri);
    opened.store.delete(&written.uri).await.unwrap();
    assert_eq!(opened.read(&copy.uri).await.unwrap(), b"an image");
    opened.store.delete(&copy.uri).await.unwrap();
}

suite!(volumes);
