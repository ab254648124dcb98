//! What may be left in stores.

use catalog::{CachedImages, Leftover, NodeRecords, Records};

use super::*;

async fn noted(catalog: &dyn Records, store: &str) -> Vec<Leftover> {
    catalog.leftovers(store).await.unwrap()
}

#[tokio::test]
async fn what_is_left_is_noted_of_each_store_until_it_is_forgotten() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let (one, other) = (image("x").id, image("y").id);
    assert_eq!(noted(catalog.as_ref(), "slow").await, []);
    for (image, store) in [(one, "slow"), (one, "fast"), (other, "slow"), (one, "slow")] {
        catalog.note_leftover(image, store).await.unwrap();
    }
    let [first, second] = noted(catalog.as_ref(), "slow").await.try_into().unwrap();
    assert_eq!((first.image, first.store.as_str(), second.image), (one, "slow", other));
    catalog.forget_leftover(&first).await.unwrap();
    assert_eq!(noted(catalog.as_ref(), "slow").await, [second]);
    assert_eq!(noted(catalog.as_ref(), "fast").await.len(), 1);
    catalog.forget_leftover(&first).await.unwrap();
}

#[tokio::test]
async fn what_was_noted_again_is_not_forgotten_by_who_knew_it_before() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let id = image("x").id;
    catalog.note_leftover(id, "slow").await.unwrap();
    let [seen] = noted(catalog.as_ref(), "slow").await.try_into().unwrap();
    catalog.note_leftover(id, "slow").await.unwrap();
    catalog.forget_leftover(&seen).await.unwrap();
    let [again] = noted(catalog.as_ref(), "slow").await.try_into().unwrap();
    catalog.forget_leftover(&again).await.unwrap();
    assert_eq!(noted(catalog.as_ref(), "slow").await, []);
}

#[tokio::test]
async fn many_may_note_the_same_at_once() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let id = image("x").id;
    let notes = (0..8).map(|_| catalog.note_leftover(id, "slow"));
    for noted in futures::future::join_all(notes).await {
        noted.unwrap();
    }
    assert_eq!(noted(catalog.as_ref(), "slow").await.len(), 1);
}

#[tokio::test]
async fn what_a_deleted_image_loses_is_noted_with_its_deletion() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let image = Image { protected: true, ..image("x") };
    catalog.create(&image).await.unwrap();
    let left = ["slow", "fast"].map(|store| Leftover::going(image.id, store));
    assert!(matches!(catalog.delete(image.id, &left).await, Err(Error::Protected(_))));
    assert_eq!(noted(catalog.as_ref(), "slow").await, []);
    let change = ImageChange { protected: Some(false), ..ImageChange::default() };
    catalog.update(image.id, &change).await.unwrap();
    catalog.note_leftover(image.id, "slow").await.unwrap();
    let [before] = noted(catalog.as_ref(), "slow").await.try_into().unwrap();
    catalog.delete(image.id, &left).await.unwrap();
    catalog.forget_leftover(&before).await.unwrap();
    let [slow, fast] = left;
    assert_eq!(noted(catalog.as_ref(), "slow").await, std::slice::from_ref(&slow));
    assert_eq!(noted(catalog.as_ref(), "fast").await, [fast]);
    catalog.note_leftover(image.id, "slow").await.unwrap();
    let [again] = noted(catalog.as_ref(), "slow").await.try_into().unwrap();
    assert!(!again.is_going && again.key != slow.key);
}

#[tokio::test]
async fn what_a_location_loses_is_noted_with_its_removal() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let id = active(catalog.as_ref()).await;
    let slow = Location::new("file:///slow/x", Some("slow"));
    let left = Leftover::going(id, "slow");
    let removal = Removal::Now(Some(left.clone()));
    assert!(catalog.remove_location(id, &slow, &removal).await.is_err());
    assert_eq!(noted(catalog.as_ref(), "slow").await, []);
    catalog.add_location(id, &slow).await.unwrap();
    catalog.remove_location(id, &slow, &removal).await.unwrap();
    assert_eq!(noted(catalog.as_ref(), "slow").await, [left]);
}

#[tokio::test]
async fn what_is_left_is_neither_cached_nor_an_upload() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let id = image("x").id;
    catalog.note_leftover(id, "slow").await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
    let cache = NodeRecords::open(catalog.clone(), "http://node-1:9292").await.unwrap();
    assert_eq!(cache.all().await.unwrap(), []);
    assert_eq!(cache.nodes(id).await.unwrap(), Some(Vec::new()));
}
