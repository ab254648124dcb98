//! Deletions that are put off, what projects use, and rows that are purged.

use catalog::sql::{Next, Purged, REVISION, Revisions, What};
use catalog::{Budget, Usage};

use super::*;

/// An active image with a property and a tag.
async fn active(catalog: &dyn Catalog) -> Image {
    let mut image = image("x");
    image.properties = BTreeMap::from([("os_distro".into(), "debian".into())]);
    image.tags = BTreeSet::from(["a".into()]);
    catalog.create(&image).await.unwrap();
    catalog.transition(image.id, Event::BeginUpload).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap()
}

fn hours_from_now(hours: i64) -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond() + hours * 3_600_000_000)
}

#[tokio::test]
async fn a_restored_image_is_what_it_was() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = active(catalog.as_ref()).await;
    catalog.remove_tag(image.id, "never there").await.unwrap();
    catalog.transition(image.id, Event::DeleteLater).await.unwrap();
    assert!(matches!(catalog.get(&Viewer::service(), image.id).await, Err(Error::NotFound(_))));
    catalog.transition(image.id, Event::Restore).await.unwrap();
    let restored = catalog.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!(Image { updated_at: image.updated_at, ..restored }, image);
}

#[tokio::test]
async fn an_image_whose_bytes_go_is_not_restored() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = active(catalog.as_ref()).await;
    catalog.transition(image.id, Event::DeleteLater).await.unwrap();
    assert_eq!(catalog.begin_scrub(image.id).await.unwrap(), [stored().location]);
    let refused = catalog.transition(image.id, Event::Restore).await;
    assert!(matches!(refused, Err(Error::Scrubbed(_))), "{refused:?}");
    assert_eq!(catalog.status_of(image.id).await.unwrap(), Some(Status::PendingDelete));
}

/// As after a crash, or in a second process.
#[tokio::test]
async fn a_scrub_that_did_not_come_to_its_end_is_repeated() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = active(catalog.as_ref()).await;
    catalog.transition(image.id, Event::DeleteLater).await.unwrap();
    catalog.begin_scrub(image.id).await.unwrap();
    assert_eq!(catalog.pending_deletions(Timestamp::now()).await.unwrap(), [image.id]);
    assert_eq!(catalog.begin_scrub(image.id).await.unwrap(), [stored().location]);
    catalog.transition(image.id, Event::Delete).await.unwrap();
    assert_eq!(catalog.pending_deletions(Timestamp::now()).await.unwrap(), []);
    assert!(matches!(catalog.begin_scrub(image.id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_image_is_due_once_its_time_has_come() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = active(catalog.as_ref()).await;
    assert!(matches!(catalog.begin_scrub(image.id).await, Err(Error::Conflict { .. })));
    catalog.transition(image.id, Event::DeleteLater).await.unwrap();
    assert_eq!(catalog.pending_deletions(hours_from_now(-1)).await.unwrap(), []);
    assert_eq!(catalog.pending_deletions(hours_from_now(0)).await.unwrap(), [image.id]);
}

#[tokio::test]
async fn what_a_project_uses_is_counted_by_state() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let usage = async |except| catalog.usage(Some("owner"), except).await.unwrap();
    assert_eq!(usage(None).await, Usage::default());
    let first = active(catalog.as_ref()).await;
    let expected = Usage { stored: 7, images: 1, ..Usage::default() };
    assert_eq!(usage(None).await, expected);
    assert_eq!(usage(Some(first.id)).await, Usage { stored: 0, ..expected });
    assert_eq!(catalog.usage(Some("other"), None).await.unwrap(), Usage::default());

    let second = image("y");
    catalog.create(&second).await.unwrap();
    catalog.transition(second.id, Event::BeginUpload).await.unwrap();
    assert_eq!(usage(None).await, Usage { images: 2, uploading: 1, ..expected });

    // A copy to another store takes room in the staging area.
    let copied = ("os_glance_importing_to_stores".to_owned(), Some("far".to_owned()));
    let change = ImageChange { properties: BTreeMap::from([copied]), ..ImageChange::default() };
    catalog.update(first.id, &change).await.unwrap();
    let copying = Usage { stored: 7, staged: 7, images: 2, uploading: 2 };
    assert_eq!(usage(None).await, copying);

    catalog.transition(first.id, Event::DeleteLater).await.unwrap();
    assert_eq!(usage(None).await, Usage { images: 1, uploading: 1, ..Usage::default() });
}

#[tokio::test]
async fn rows_are_purged_by_age_and_never_those_of_a_pending_image() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.catalog().await;
    let (gone, pending, kept) =
        (active(&catalog).await, active(&catalog).await, active(&catalog).await);
    catalog.delete(gone.id, &[]).await.unwrap();
    catalog.transition(pending.id, Event::DeleteLater).await.unwrap();

    let young = catalog.purge(What::Parts, hours_from_now(-1), None).await.unwrap();
    assert!(young.iter().all(|purged| purged.rows == 0), "{young:?}");
    let refused = catalog.purge(What::Images, hours_from_now(1), None).await;
    assert!(matches!(refused, Err(Error::Database(_))), "parts refer to the image: {refused:?}");

    let rows = async |what, limit| -> Vec<(&str, u64)> {
        let purged = catalog.purge(what, hours_from_now(1), limit).await.unwrap();
        let some = purged.into_iter().filter(|purged| purged.rows > 0);
        some.map(|Purged { table, rows }| (table, rows)).collect()
    };
    assert_eq!(rows(What::Parts, Some(0)).await, []);
    let parts = [("image_properties", 1), ("image_tags", 1), ("image_locations", 1)];
    assert_eq!(rows(What::Parts, None).await, parts);
    assert_eq!(rows(What::Images, None).await, [("images", 1)]);
    assert_eq!(catalog.status_of(gone.id).await.unwrap(), None);
    catalog.transition(pending.id, Event::Restore).await.unwrap();
    assert!(catalog.get(&Viewer::service(), kept.id).await.is_ok());
}

#[tokio::test]
async fn revisions_say_what_an_upgrade_has_to_do() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    assert_eq!(SqlCatalog::revisions(&fresh.database()).await.unwrap(), Revisions::default());
    drop(fresh.catalog().await);
    assert_eq!(SqlCatalog::revisions(&fresh.database()).await.unwrap().0, [REVISION]);
    let next = |found: &[&str]| Revisions(found.iter().map(|&r| r.to_owned()).collect()).next();
    assert_eq!(next(&[REVISION]), Next::Nothing);
    assert_eq!(next(&[]), Next::Expand);
    assert_eq!(next(&["2023_1_contract01"]), Next::Expand);
    assert_eq!(next(&["2023_1_contract01", "2024_1_expand01"]), Next::Contract);
    assert_eq!(next(&["zed_contract01"]), Next::Expand);
    assert_eq!(next(&[REVISION, "2024_2_expand01"]), Next::Later);
    assert_eq!(next(&["2026_1_contract01"]), Next::Later);
}

#[tokio::test]
async fn of_many_uploads_at_once_only_as_many_become_active_as_the_budget_allows() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let budget = Budget { owner: Some("owner".into()), bytes: 3 * stored().size };
    let mut uploads = Vec::new();
    for i in 0..8 {
        let image = image(&i.to_string());
        catalog.create(&image).await.unwrap();
        let (catalog, budget) = (catalog.clone(), budget.clone());
        uploads.push(tokio::spawn(async move {
            catalog.activate_within(image.id, &stored(), &budget).await
        }));
    }
    let mut active = 0;
    for upload in uploads {
        match upload.await.unwrap() {
            Ok(_) => active += 1,
            Err(error) => assert!(matches!(error, Error::OverBudget { .. }), "{error:?}"),
        }
    }
    assert_eq!(active, 3);
}
