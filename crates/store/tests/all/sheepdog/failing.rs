//! Servers that break off, lie or talk nonsense, and clusters that can't.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::Config;
use futures::{StreamExt, TryStreamExt, stream};
use image::ImageId;
use store::{Error, Original, Result, Store, Stores};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::cluster::Cluster;
use super::sheep::Sheep;

/// How long something may take that does not wait for time.
const PATIENCE: Duration = Duration::from_secs(60);

fn opened(address: std::net::SocketAddr) -> Arc<dyn Store> {
    let (host, port) = (address.ip(), address.port());
    let text = format!(
        "[DEFAULT]\nenabled_backends = sheep:sheepdog\n[glance_store]\ndefault_backend = sheep\n\
         [sheep]\nsheepdog_store_address = {host}\nsheepdog_store_port = {port}\n\
         [os_glance_staging_store]\nfilesystem_store_datadir = {dir}/staging\n\
         [os_glance_tasks_store]\nfilesystem_store_datadir = {dir}/tasks\n",
        dir = tempfile::tempdir().unwrap().path().display()
    );
    let mut config = Config::default();
    config.add_text(&text, Path::new("glance-api.conf")).unwrap();
    let stores = Stores::from_config(&config, Path::new("/nowhere")).unwrap();
    stores.get(Some("sheep")).unwrap().1.clone()
}

fn source(bytes: Vec<u8>) -> store::Source {
    stream::iter([Ok(Bytes::from(bytes))]).boxed()
}

/// Answers each request with what `answer` makes of its header, once its data has been read.
async fn answering(
    answer: impl Fn([u8; 48]) -> Vec<u8> + Clone + Send + 'static,
) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move { reply(client, answer).await });
        }
    });
    address
}

async fn reply(mut client: TcpStream, answer: impl Fn([u8; 48]) -> Vec<u8>) -> Option<()> {
    loop {
        let mut header = [0; 48];
        client.read_exact(&mut header).await.ok()?;
        let length = u32::from_le_bytes(header[12..16].try_into().unwrap());
        let mut data = vec![0; if header[2] & 1 != 0 { length as usize } else { 0 }];
        client.read_exact(&mut data).await.ok()?;
        let bytes = answer(header);
        client.write_all(&bytes).await.ok()?;
        if bytes.len() < 48 {
            return None;
        }
    }
}

/// A response to a request: what comes with it, and some bytes changed.
fn response(request: [u8; 48], length: u32, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut header = vec![0; 48];
    header[1] = request[1];
    header[12..16].copy_from_slice(&length.to_le_bytes());
    // VDI 7 is what every name stands for.
    header[24] = 7;
    for (at, byte) in changes {
        header[*at] = *byte;
    }
    header
}

const READ: u8 = 0x02;

/// The description of VDI 7, of so many bytes; some bytes are changed.
fn description(size: u64, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = vec![0; 4664 + (12 << 20)];
    bytes[536..544].copy_from_slice(&size.to_le_bytes());
    [bytes[554], bytes[555], bytes[560]] = [1, 22, 7];
    for (at, byte) in changes {
        bytes[*at] = *byte;
    }
    bytes
}

/// Answers lookups, and reads of the description by `bytes`; data is zeros.
fn describing(bytes: Vec<u8>) -> impl Fn([u8; 48]) -> Vec<u8> + Clone {
    let bytes = Arc::new(bytes);
    move |request| {
        let length = u32::from_le_bytes(request[12..16].try_into().unwrap());
        match (request[1], request[23]) {
            (READ, 0x80) => {
                let part = &bytes[..length as usize];
                [response(request, length, &[]), part.to_vec()].concat()
            }
            (READ, _) => [response(request, length, &[]), vec![0; length as usize]].concat(),
            _ => response(request, 0, &[]),
        }
    }
}

/// What everything that can be asked for ends with.
async fn errors(store: &dyn Store, uri: &str) -> Vec<Error> {
    let id = ImageId::random();
    let read = async {
        let data = store.open(uri, 0..10).await?;
        data.try_for_each(|_| async { Ok(()) }).await
    };
    let asked: [Result<()>; 6] = [
        store.probe().await,
        store.size(uri).await.map(drop),
        read.await,
        store.delete(uri).await,
        store.put(id, Some(3), source(b"abc".to_vec())).await.map(drop),
        store.discard(id).await.map(drop),
    ];
    asked.into_iter().filter_map(Result::err).collect()
}

async fn all_fail(answer: impl Fn([u8; 48]) -> Vec<u8> + Clone + Send + 'static, words: &str) {
    let store = opened(answering(answer).await);
    let asked = errors(store.as_ref(), "sheepdog://x");
    let errors = tokio::time::timeout(PATIENCE, asked).await.expect("it waits without end");
    assert_eq!(errors.len(), 6, "{errors:?}");
    for error in errors {
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn responses_that_are_none() {
    all_fail(|request| response(request, 0, &[(1, 0x55)]), "operation 0x55 is answered").await;
    all_fail(|request| response(request, 0, &[(8, 9)]), "request 9 is answered").await;
    all_fail(|request| response(request, u32::MAX, &[]), "4294967295 bytes come").await;
    all_fail(|request| response(request, 0, &[(24, 0)]), "there is no VDI 0").await;
    all_fail(|request| response(request, 0, &[(27, 1)]), "there is no VDI 1000007").await;
}

#[tokio::test]
async fn results_that_nobody_knows() {
    all_fail(|request| response(request, 0, &[(16, 0x80)]), "error 0x80").await;
    all_fail(|request| response(request, 0, &[(16, 0xff), (19, 0xff)]), "error 0xff0000ff").await;
    all_fail(|request| response(request, 0, &[(16, 0x19)]), "nodes are missing").await;
    all_fail(|request| response(request, 0, &[(16, 0x16)]), "dog cluster format").await;
}

#[tokio::test]
async fn responses_that_break_off() {
    all_fail(|_| Vec::new(), "sheep at 127.0.0.1").await;
    all_fail(|request| response(request, 0, &[])[..20].to_vec(), "sheep at 127.0.0.1").await;
}

/// What reading 10 bytes of an image ends with.
async fn reading(answer: impl Fn([u8; 48]) -> Vec<u8> + Clone + Send + 'static) -> Result<u64> {
    let store = opened(answering(answer).await);
    let read = async {
        let data = store.open("sheepdog://x", 0..10).await?;
        data.try_fold(0, |sum, piece| async move { Ok(sum + piece.len() as u64) }).await
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it waits without end")
}

async fn reading_fails(description: Vec<u8>, words: &str) {
    let error = reading(describing(description)).await.expect_err(words);
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn descriptions_that_can_not_be() {
    assert_eq!(reading(describing(description(10, &[]))).await.unwrap(), 10);
    reading_fails(description(9, &[]), "ends early").await;
    reading_fails(description(10, &[(560, 8)]), "VDI 8 is given for 7").await;
    reading_fails(description(10, &[(553, 1)]), "its index is a tree").await;
    reading_fails(description(10, &[(555, 0)]), "its objects are of 2^0 bytes").await;
    reading_fails(description(10, &[(555, 64)]), "its objects are of 2^64 bytes").await;
    reading_fails(description(10, &[(4667, 1)]), "an object belongs to 1000000").await;
    let huge = description(u64::MAX, &[]);
    assert_eq!(reading(describing(huge)).await.unwrap(), 10);
}

/// Fewer bytes than were asked for are no zeros.
#[tokio::test]
async fn data_that_is_short() {
    let whole = describing(description(10, &[(4664, 7)]));
    let short = move |request: [u8; 48]| match (request[1], request[23]) {
        (READ, 0) => [response(request, 3, &[]), vec![1; 3]].concat(),
        _ => whole(request),
    };
    let error = reading(short).await.unwrap_err();
    assert!(error.to_string().contains("3 bytes come, and 10 were asked for"), "{error}");
}

#[tokio::test]
async fn objects_that_are_gone() {
    let whole = describing(description(10, &[(4664, 7)]));
    let missing = move |request: [u8; 48]| match (request[1], request[23]) {
        (READ, 0) => response(request, 0, &[(16, 2)]),
        _ => whole(request),
    };
    let error = reading(missing).await.unwrap_err();
    assert!(error.to_string().contains("an object is missing"), "{error}");
}

/// Nothing of an image stays in a cluster that has no room for all of it.
#[tokio::test]
async fn a_cluster_that_is_full() {
    let sheep = Sheep::of(Cluster { room: 2, ..Cluster::default() }).await;
    let store = opened(sheep.address);
    for hint in [Some(20_000_000), None] {
        let put = store.put(ImageId::random(), hint, source(vec![1; 20_000_000])).await;
        assert!(matches!(put, Err(Error::Full(_))), "{put:?}");
        store.settled().await;
        assert!(sheep.cluster.lock().unwrap().held().is_empty());
    }
}

#[tokio::test]
async fn an_image_that_is_larger_than_a_vdi_can_be() {
    let sheep = Sheep::of(Cluster::default()).await;
    let store = opened(sheep.address);
    let put = store.put(ImageId::random(), Some(u64::MAX), source(vec![1])).await;
    let error = put.unwrap_err();
    assert!(error.to_string().contains("a VDI has 4398046511104 at most"), "{error}");
    assert!(sheep.cluster.lock().unwrap().held().is_empty());
}

/// What a copy shares with its origin stays when either is deleted.
#[tokio::test]
async fn copies_share_objects() {
    let sheep = Sheep::of(Cluster::default()).await;
    let store = opened(sheep.address);
    let held = || sheep.cluster.lock().unwrap().held();
    let bytes: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 251) as u8).collect();
    let first = store.put(ImageId::random(), None, source(bytes.clone())).await.unwrap();
    let copy = store
        .copy(ImageId::random(), Original { store: &*store, uri: &first.uri })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(copy.size, first.size);
    // Two VDIs, and no more objects than before.
    assert_eq!(held().len(), 2 + 3, "{:?}", held());
    store.delete(&first.uri).await.unwrap();
    let data = store.open(&copy.uri, 0..copy.size).await.unwrap();
    let read: Vec<Bytes> = data.try_collect().await.unwrap();
    assert_eq!(read.concat(), bytes);
    store.delete(&copy.uri).await.unwrap();
    assert!(held().is_empty(), "{:?}", held());
}

#[tokio::test]
async fn copies_that_can_not_be() {
    let sheep = Sheep::of(Cluster::default()).await;
    let store = opened(sheep.address);
    let from = |uri| Original { store: &*store, uri };
    let elsewhere =
        store.copy(ImageId::random(), from("sheepdog://192.0.2.1:7000:x")).await.unwrap();
    assert_eq!(elsewhere, None);
    let absent = store.copy(ImageId::random(), from("sheepdog://absent")).await;
    assert!(matches!(absent, Err(Error::NotFound(_))), "{absent:?}");
    assert!(sheep.cluster.lock().unwrap().held().is_empty());
}

/// A node that was replaced: any other one has the VDIs of its cluster.
#[tokio::test]
async fn a_node_that_a_location_names_may_have_gone() {
    let sheep = Sheep::of(Cluster::default()).await;
    let store = opened(sheep.address);
    let (id, bytes) = (ImageId::random(), vec![7; 5 << 20]);
    store.put(id, None, source(bytes.clone())).await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let at_gone = |id| format!("sheepdog://{gone}:{id}");
    assert_eq!(store.size(&at_gone(id)).await.unwrap(), 5 << 20);
    let data = store.open(&at_gone(id), 0..5 << 20).await.unwrap();
    let pieces: Vec<Bytes> = data.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), bytes);
    store.delete(&at_gone(id)).await.unwrap();
    // What no other node has may be of another cluster: it is away, and not nowhere.
    for uri in [at_gone(id), at_gone(ImageId::random())] {
        let error = store.delete(&uri).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
}
