//! Who receives the bytes of which image.

use catalog::{CachedImages, NodeRecords, Records, Upload, holder};

use super::*;

async fn records() -> Option<(Fresh, Arc<dyn Records>, i64)> {
    let fresh = Fresh::of(module_path!()).await?;
    let catalog = fresh.records(module_path!()).await;
    let node = catalog.node(&holder("us")).await.unwrap();
    Some((fresh, catalog, node))
}

async fn begun(catalog: &dyn Records, node: i64) -> Upload {
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let upload = Upload::of(image.id);
    catalog.begin_upload(node, &upload, Event::BeginUpload).await.unwrap();
    upload
}

fn of_upload(upload: &Upload) -> Stored {
    Stored { upload: Some(upload.clone()), ..stored() }
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::UploadLost(_)))
}

#[tokio::test]
async fn an_upload_is_noted_until_its_image_is_active() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let upload = begun(catalog.as_ref(), node).await;
    assert_eq!(catalog.status_of(upload.image).await.unwrap(), Some(Status::Saving));
    let [seen] = catalog.uploads().await.unwrap().try_into().unwrap();
    assert_eq!((&seen.upload, seen.holder), (&upload, holder("us")));
    catalog.activate(upload.image, &of_upload(&upload)).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(catalog.status_of(upload.image).await.unwrap(), Some(Status::Active));
}

#[tokio::test]
async fn only_a_queued_image_takes_an_upload() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let upload = begun(catalog.as_ref(), node).await;
    let second = catalog.begin_upload(node, &Upload::of(upload.image), Event::BeginUpload).await;
    assert!(matches!(second, Err(Error::Conflict { status: Status::Saving, .. })), "{second:?}");
    assert_eq!(catalog.uploads().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_was_taken_for_dead_can_neither_finish_an_upload_nor_end_it() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let other = catalog.node(&holder("them")).await.unwrap();
    let ours = begun(catalog.as_ref(), node).await;
    let [seen] = catalog.uploads().await.unwrap().try_into().unwrap();
    let theirs = catalog.take_upload_over(other, &seen).await.unwrap();
    assert!(is_lost(catalog.take_upload_over(node, &seen).await), "it is taken once");
    assert!(is_lost(catalog.activate(ours.image, &of_upload(&ours)).await));
    assert!(is_lost(catalog.end_upload(&ours).await));
    assert_eq!(catalog.status_of(ours.image).await.unwrap(), Some(Status::Saving));

    catalog.end_upload(&theirs).await.unwrap();
    assert_eq!(catalog.status_of(ours.image).await.unwrap(), Some(Status::Queued));
    let again = Upload::of(ours.image);
    catalog.begin_upload(other, &again, Event::BeginUpload).await.unwrap();
    assert!(is_lost(catalog.activate(ours.image, &of_upload(&ours)).await));
    catalog.activate(ours.image, &of_upload(&again)).await.unwrap();
}

#[tokio::test]
async fn an_upload_to_the_staging_area_is_noted_until_it_is_staged() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let other = catalog.node(&holder("them")).await.unwrap();
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let ours = Upload::of(image.id);
    catalog.begin_upload(node, &ours, Event::BeginStaging).await.unwrap();
    assert_eq!(catalog.status_of(image.id).await.unwrap(), Some(Status::Uploading));
    let [seen] = catalog.uploads().await.unwrap().try_into().unwrap();
    let theirs = catalog.take_upload_over(other, &seen).await.unwrap();
    assert!(is_lost(catalog.staged(&ours, 5, None).await));
    catalog.end_upload(&theirs).await.unwrap();
    assert_eq!(catalog.status_of(image.id).await.unwrap(), Some(Status::Queued));
    assert!(is_lost(catalog.staged(&ours, 5, None).await));

    let again = Upload::of(image.id);
    catalog.begin_upload(node, &again, Event::BeginStaging).await.unwrap();
    catalog.staged(&again, 5, None).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert!(is_lost(catalog.end_upload(&again).await), "its bytes wait for their import");
    assert_eq!(catalog.status_of(image.id).await.unwrap(), Some(Status::Uploading));
}

#[tokio::test]
async fn signs_of_life_are_those_of_one_service_and_keep_its_uploads() {
    let Some((fresh, catalog, node)) = records().await else { return };
    let other = catalog.node(&holder("them")).await.unwrap();
    let ours = begun(catalog.as_ref(), node).await;
    let theirs = begun(catalog.as_ref(), other).await;
    fresh.run("UPDATE cached_images SET last_accessed = '2026-01-02 03:04:05.000000'").await;
    let before = catalog.uploads().await.unwrap();
    catalog.renew_uploads(node).await.unwrap();
    let of = |upload: &Upload| before.iter().find(|seen| seen.upload == *upload).unwrap().clone();
    assert!(is_lost(catalog.take_upload_over(other, &of(&ours)).await), "it lives");
    catalog.take_upload_over(node, &of(&theirs)).await.unwrap();
}

#[tokio::test]
async fn an_upload_of_an_image_that_is_gone_can_be_ended() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let upload = begun(catalog.as_ref(), node).await;
    catalog.delete(upload.image, &[]).await.unwrap();
    assert!(catalog.activate(upload.image, &of_upload(&upload)).await.is_err());
    assert_eq!(catalog.uploads().await.unwrap().len(), 1, "its bytes are still to be removed");
    catalog.end_upload(&upload).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(catalog.status_of(upload.image).await.unwrap(), Some(Status::Deleted));
}

#[tokio::test]
async fn an_upload_is_in_nobodys_cache() {
    let Some((_fresh, catalog, node)) = records().await else { return };
    let upload = begun(catalog.as_ref(), node).await;
    let cache = NodeRecords::open(catalog.clone(), "http://node-1:9292").await.unwrap();
    assert_eq!(cache.all().await.unwrap(), []);
    assert_eq!(cache.nodes(upload.image).await.unwrap(), Some(Vec::new()));
}
