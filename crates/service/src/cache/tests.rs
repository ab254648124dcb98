//! What the cache does when stores, readers and operators do their worst.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use catalog::NodeRecords;
use catalog::sql::SqlCatalog;
use futures::{StreamExt, TryStreamExt};
use image::{DataHashes, Event, Image, Location, Timestamp};
use store::{Data, Source, Store, Written};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::reading::Origin;

const SIZE: usize = 40;

/// A store of one image: it counts how often it is opened, and gives a byte for each permit, the
/// first one at once.
struct Slow {
    bytes: Vec<u8>,
    opened: AtomicUsize,
    permits: Arc<Semaphore>,
    /// The first reader gets an error here.
    breaks_at: Option<usize>,
}

#[async_trait]
impl Store for Slow {
    fn kind(&self) -> &'static str {
        "slow"
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["slow"]
    }

    fn holds(&self, uri: &str) -> bool {
        uri.starts_with("slow://")
    }

    async fn put(&self, _: ImageId, _: Option<u64>, _: Source) -> store::Result<Written> {
        Err(store::Error::Full("slow".into()))
    }

    async fn open(&self, _: &str, range: Range<u64>) -> store::Result<Data> {
        let first = self.opened.fetch_add(1, Ordering::SeqCst) == 0;
        let breaks_at = self.breaks_at.filter(|_| first);
        let (start, end) = (range.start as usize, range.end as usize);
        let bytes = self.bytes[start..end.min(self.bytes.len())].to_vec();
        let permits = self.permits.clone();
        let pieces = futures::stream::iter(bytes.into_iter().enumerate());
        Ok(pieces
            .then(move |(offset, byte)| {
                let permits = permits.clone();
                async move {
                    permits.acquire().await.unwrap().forget();
                    match breaks_at == Some(start + offset) {
                        true => Err(store::Error::Full("broken".into())),
                        false => Ok(bytes::Bytes::from(vec![byte])),
                    }
                }
            })
            .boxed())
    }

    async fn size(&self, _: &str) -> store::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    async fn delete(&self, _: &str) -> store::Result<()> {
        Ok(())
    }

    async fn discard(&self, _: ImageId) -> store::Result<bool> {
        Ok(false)
    }
}

struct Node {
    cache: Arc<Cache>,
    store: Arc<Slow>,
    image: Image,
    dir: TempDir,
    _catalog: SqlCatalog,
}

impl Node {
    async fn new(store: Slow) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let catalog = SqlCatalog::memory().await.unwrap();
        let mut image = Image::new(ImageId::random(), None, Timestamp::now());
        catalog.create(&image).await.unwrap();
        catalog.transition(image.id, Event::BeginUpload).await.unwrap();
        image.size = Some(SIZE as u64);
        image.hashes = Some(DataHashes {
            checksum: Some(md5(&original())),
            algorithm: "sha512".into(),
            value: String::new(),
        });
        image.locations = vec![Location::new("slow://x", None)];
        let settings = Settings {
            directory: dir.path().join("cache"),
            max_size: 1 << 20,
            driver: Driver::CentralizedDb,
            sqlite_file: String::new(),
            stall_time: Duration::from_secs(60),
            prefetch_interval: Duration::from_secs(60),
            node: None,
            downloads: true,
        };
        let records =
            Arc::new(NodeRecords::open(Arc::new(catalog.clone()), "http://node").await.unwrap());
        let cache = Cache::open(&settings, records, &catalog).await.unwrap();
        let (cache, store) = (Arc::new(cache), Arc::new(store));
        Self { cache, store, image, dir, _catalog: catalog }
    }

    async fn read(&self) -> Data {
        self.try_read().await.unwrap()
    }

    async fn try_read(&self) -> store::Result<Data> {
        let origin = Origin::at(self.image.id, self.store.clone(), "slow://x".into());
        let size = SIZE as u64;
        self.cache.read(&self.image, size, 0..size, origin).await
    }

    fn allow(&self, bytes: usize) {
        self.store.permits.add_permits(bytes);
    }

    fn incomplete(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("cache/incomplete")).unwrap().count()
    }

    async fn eventually(&self, condition: impl Fn(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it happens in time");
    }
}

fn original() -> Vec<u8> {
    (0..SIZE as u8).collect()
}

fn md5(bytes: &[u8]) -> String {
    crate::digest::hex(&openssl::hash::hash(openssl::hash::MessageDigest::md5(), bytes).unwrap())
}

fn slow(bytes: Vec<u8>, breaks_at: Option<usize>) -> Slow {
    Slow { bytes, opened: AtomicUsize::new(0), permits: Arc::new(Semaphore::new(1)), breaks_at }
}

async fn all(data: Data) -> store::Result<Vec<u8>> {
    data.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    })
    .await
}

#[tokio::test]
async fn everybody_follows_one_download() {
    let node = Node::new(slow(original(), None)).await;
    let first = node.read().await;
    node.allow(SIZE / 2);
    let readers = [first, node.read().await, node.read().await];
    node.allow(SIZE);
    for read in futures::future::join_all(readers.map(all)).await {
        assert_eq!(read.unwrap(), original());
    }
    node.eventually(|node| node.cache.holds(node.image.id)).await;
    assert_eq!(all(node.read().await).await.unwrap(), original());
    assert_eq!(node.store.opened.load(Ordering::SeqCst), 1);
    assert_eq!(node.incomplete(), 0);
}

#[tokio::test]
async fn readers_go_on_alone_when_the_fill_breaks() {
    let node = Node::new(slow(original(), Some(SIZE / 2))).await;
    let readers = [node.read().await, node.read().await];
    node.allow(3 * SIZE);
    for read in futures::future::join_all(readers.map(all)).await {
        assert_eq!(read.unwrap(), original());
    }
    node.eventually(|node| node.incomplete() == 0).await;
    assert!(!node.cache.holds(node.image.id));
}

#[tokio::test]
async fn wrong_bytes_end_in_an_error_and_are_not_kept() {
    let short = original()[..SIZE - 1].to_vec();
    let mut other = original();
    other[3] = 77;
    for bytes in [short, other] {
        let node = Node::new(slow(bytes, None)).await;
        node.allow(SIZE);
        assert!(all(node.read().await).await.is_err());
        node.eventually(|node| node.incomplete() == 0).await;
        assert!(!node.cache.holds(node.image.id));
    }
}

#[tokio::test]
async fn what_fails_before_its_first_byte_is_an_error_and_no_answer() {
    let node = Node::new(slow(Vec::new(), None)).await;
    assert!(node.try_read().await.is_err());
    node.eventually(|node| node.incomplete() == 0).await;
}

#[tokio::test]
async fn what_nobody_waits_for_is_given_up() {
    let node = Node::new(slow(original(), None)).await;
    let data = node.read().await;
    assert_eq!(node.incomplete(), 1);
    drop(data);
    node.eventually(|node| node.incomplete() == 0).await;
    node.allow(2 * SIZE);
    assert_eq!(all(node.read().await).await.unwrap(), original());
}

#[tokio::test]
async fn an_image_that_is_removed_while_it_comes_is_not_kept() {
    let node = Node::new(slow(original(), None)).await;
    let data = node.read().await;
    node.cache.remove(node.image.id).await;
    node.allow(SIZE);
    assert_eq!(all(data).await.unwrap(), original());
    node.eventually(|node| node.incomplete() == 0).await;
    assert!(!node.cache.holds(node.image.id));
    // The record goes after the file.
    let gone = async {
        while !node.cache.records.all().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
}
