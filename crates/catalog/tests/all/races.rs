//! Several services on one database: none is in another's way.

use catalog::Lease;
use image::TaskStatus;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn of_many_first_starts_one_makes_the_tables() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let database = fresh.database();
    let starts = (0..8).map(|_| {
        let database = database.clone();
        tokio::spawn(async move { SqlCatalog::connect(&database).await })
    });
    for started in starts.collect::<Vec<_>>() {
        let catalog = started.await.unwrap().unwrap();
        catalog.create(&image("x")).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_several_make_known_at_once_has_one_number() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.records(module_path!()).await;
    let all = (0..8).map(|_| {
        let catalog = catalog.clone();
        tokio::spawn(async move { catalog.node("http://node-1:9292").await })
    });
    let mut numbers = BTreeSet::new();
    for known in all.collect::<Vec<_>>() {
        numbers.insert(known.await.unwrap().unwrap());
    }
    assert_eq!(numbers.len(), 1);
}

/// The import has the task and wants the image; another transaction has the image, and then wants
/// the task. The database undoes the one that has waited longer, or has changed less: the import.
#[tokio::test]
async fn a_change_that_a_deadlock_undoes_is_made_again() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let Some(mut other) = fresh.beside().await else { return };
    let catalog = fresh.records(module_path!()).await;
    let task = tasks::created(catalog.as_ref(), "p").await;
    let images: Vec<_> = (0..20).map(|i| image(&i.to_string())).collect();
    for image in &images {
        catalog.create(image).await.unwrap();
    }
    other.run("BEGIN").await;
    other.run("UPDATE images SET min_ram = 7").await;
    let abandoned = tokio::spawn({
        let (catalog, image, lease) = (catalog.clone(), images[0].id, Lease::of(&task));
        async move { catalog.abandon_import(&lease, image, &[], "x", Duration::MAX).await }
    });
    other.until_somebody_waits().await;
    other.run("UPDATE tasks SET user_id = 'x'").await;
    other.run("COMMIT").await;
    abandoned.await.unwrap().unwrap();
    assert_eq!(catalog.task(task.id).await.unwrap().status, TaskStatus::Failure);
}
