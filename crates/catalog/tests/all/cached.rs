//! Records of image caches.

use catalog::sql::LocalRecords;
use catalog::{CachedImage, CachedImages, NodeRecords};

use super::*;

fn cached(size: u64) -> CachedImage {
    let now = Timestamp::from_microsecond(1_700_000_000_000_000);
    CachedImage {
        row: None,
        image_id: ImageId::random(),
        size,
        hits: 0,
        last_accessed: now,
        last_modified: now,
        checksum: Some("0".repeat(32)),
    }
}

/// What every kind of records must do.
async fn keeps_what_it_is_told(records: &dyn CachedImages) {
    let (first, second) = (cached(7), cached(1 << 40));
    records.put(&first).await.unwrap();
    records.put(&second).await.unwrap();
    let read = CachedImage { hits: 3, ..first.clone() };
    records.put(&read).await.unwrap();
    records.remove(second.image_id).await.unwrap();
    records.remove(second.image_id).await.unwrap();
    let all = records.all().await.unwrap();
    let all: Vec<_> = all.into_iter().map(|image| CachedImage { row: None, ..image }).collect();
    assert_eq!(all, [read]);
}

#[tokio::test]
async fn a_file_keeps_what_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let local = LocalRecords::open(&dir.path().join("cache.db")).await.unwrap();
    keeps_what_it_is_told(&local).await;
}

#[tokio::test]
async fn tables_keep_what_they_are_told() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let shared = NodeRecords::open(catalog.clone(), "http://node-1:9292").await.unwrap();
    keeps_what_it_is_told(&shared).await;
}

#[tokio::test]
async fn nodes_have_records_of_their_own_and_know_of_each_other() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let one = NodeRecords::open(catalog.clone(), "http://node-1:9292").await.unwrap();
    let two = NodeRecords::open(catalog.clone(), "http://node-2:9292").await.unwrap();
    let again = NodeRecords::open(catalog.clone(), "http://node-1:9292").await.unwrap();
    let image = cached(7);
    assert!(one.put(&image).await.unwrap().is_some());
    two.put(&image).await.unwrap();
    let both = ["http://node-1:9292", "http://node-2:9292"].map(str::to_owned);
    assert_eq!(two.nodes(image.image_id).await.unwrap(), Some(both.to_vec()));
    again.remove(image.image_id).await.unwrap();
    assert_eq!(one.all().await.unwrap(), []);
    assert_eq!(two.nodes(image.image_id).await.unwrap(), Some(vec![both[1].clone()]));
}
