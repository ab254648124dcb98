//! The wall before a real Ceph, which `TEST_CEPH_CONF`, `_USER` and `_POOL` name; without them these
//! tests are left out.

use std::env::var;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::future;
use image::ImageId;

use super::{Access, Cluster, Pool, Shape};

const SHAPE: Shape = Shape { order: 20 };

async fn pool() -> Option<Arc<Pool>> {
    let conf = var("TEST_CEPH_CONF").ok()?.into();
    let access = Access { conf: Some(conf), user: var("TEST_CEPH_USER").ok(), ..Access::default() };
    let pool = var("TEST_CEPH_POOL").unwrap();
    Some(blocking(move || Cluster::connect(&access).unwrap().pool(&pool).unwrap()).await)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn installed() -> bool {
    super::library::Library::get().is_ok()
}

#[test]
fn a_configuration_that_is_not_there_is_said_to_be() {
    if !installed() {
        return;
    }
    let conf = Some(Path::new("/nowhere/ceph.conf").to_owned());
    let error = Cluster::connect(&Access { conf, ..Access::default() }).err().unwrap();
    assert_eq!(error.code(), libc::ENOENT);
    assert!(error.to_string().contains("configuration file"), "{error}");
}

#[test]
fn the_id_is_known_without_a_connection() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let conf = dir.path().join("ceph.conf");
    let id = |text: &str| {
        std::fs::write(&conf, text).unwrap();
        Cluster::configured_id(&Access { conf: Some(conf.clone()), ..Access::default() }).unwrap()
    };
    let fsid = "6d3f2c0a-1f9b-4c51-8f59-6b3b5a6b9d11";
    assert_eq!(id(&format!("[global]\nfsid = {fsid}\n")).as_deref(), Some(fsid));
    assert_eq!(id("[global]\n"), None);
}

#[tokio::test]
async fn transfers_outlive_whoever_began_them() {
    let Some(pool) = pool().await else { return };
    let name = ImageId::random().to_string();
    let (opening, opened) = (pool.clone(), name.clone());
    let image = blocking(move || {
        opening.create(&opened, 8 << 20, SHAPE).unwrap();
        opening.open(&opened, None).unwrap()
    })
    .await;
    let closed = image.closed();
    let pieces = |n: u8| vec![Bytes::from(vec![n; 300_000]), Bytes::from(vec![n + 1; 700_000])];
    let writes: Vec<_> = (0..8_u8).map(|n| image.write(u64::from(n) << 20, pieces(n))).collect();
    let reads: Vec<_> = (0..8_u64).map(|n| image.read(n << 20, 1 << 20)).collect();
    // Nobody waits for them, and the image goes first.
    drop(image);
    drop((writes, reads));
    closed.wait().await;

    let (opening, opened) = (pool.clone(), name.clone());
    let image = blocking(move || opening.open(&opened, None).unwrap()).await;
    let reads = (0..8_u64).map(|n| image.read(n << 20, 1_000_000));
    for (n, read) in (0_u8..).zip(future::join_all(reads).await) {
        assert_eq!(read.unwrap(), pieces(n).concat(), "{n}");
    }
    let past = image.read((8 << 20) - 10, 100).await;
    assert!(past.as_ref().is_ok_and(|bytes| bytes.len() == 10) || past.is_err(), "{past:?}");
    blocking(move || {
        assert_eq!(pool.open_unseen(&name, None).unwrap().watchers().unwrap().len(), 1);
        image.close();
        assert!(pool.open_unseen(&name, None).unwrap().watchers().unwrap().is_empty());
        pool.remove(&name).unwrap();
        assert_eq!(pool.open(&name, None).err().unwrap().code(), libc::ENOENT);
    })
    .await;
}

#[tokio::test]
async fn writes_beyond_the_end_fail_and_are_told() {
    let Some(pool) = pool().await else { return };
    let name = ImageId::random().to_string();
    let (opening, opened) = (pool.clone(), name.clone());
    let image = blocking(move || {
        opening.create(&opened, 1 << 20, SHAPE).unwrap();
        opening.open(&opened, None).unwrap()
    })
    .await;
    let error = image.write(2 << 20, vec![Bytes::from_static(b"x")]).await.unwrap_err();
    assert_eq!(error.code(), libc::EINVAL);
    blocking(move || {
        image.close();
        pool.remove(&name).unwrap();
    })
    .await;
}
