//! Rows that Glance would never write: they are served, or reported and left out of lists; nothing
//! beside them suffers.

use catalog::Tasks;
use image::Task;

use super::*;
use Fate::{Either, LeftOut, Served};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The image is shown, as far as it can be read.
    Served,
    /// Who asks for the image is told what is wrong; lists go without it.
    LeftOut,
    /// One of both, by the kind of database.
    Either,
}

/// What is done to an image's rows; `?` stands for its id. Not every kind of database lets all of
/// this happen, nor is every statement one of each.
const ODD: [(&str, Fate); 33] = [
    ("UPDATE images SET name = NULL, owner = NULL WHERE id = ?", Served),
    ("UPDATE images SET size = NULL WHERE id = ?", Served),
    ("UPDATE images SET size = -5 WHERE id = ?", LeftOut),
    ("UPDATE images SET virtual_size = -1 WHERE id = ?", LeftOut),
    ("UPDATE images SET min_disk = -1 WHERE id = ?", LeftOut),
    ("UPDATE images SET status = 'asleep' WHERE id = ?", LeftOut),
    ("UPDATE images SET status = '' WHERE id = ?", LeftOut),
    ("UPDATE images SET visibility = 'secret' WHERE id = ?", LeftOut),
    ("UPDATE IGNORE images SET visibility = 'secret' WHERE id = ?", LeftOut),
    ("UPDATE images SET disk_format = 'Floppy Disk' WHERE id = ?", LeftOut),
    ("UPDATE images SET disk_format = '', container_format = '' WHERE id = ?", Served),
    ("UPDATE images SET os_hash_algo = NULL WHERE id = ?", Served),
    ("UPDATE images SET checksum = NULL, os_hash_value = NULL WHERE id = ?", Served),
    ("UPDATE images SET updated_at = NULL WHERE id = ?", Served),
    ("UPDATE images SET created_at = 'soon' WHERE id = ?", LeftOut),
    ("UPDATE images SET created_at = '0000-00-00 00:00:00' WHERE id = ?", LeftOut),
    // To MySQL a zero is null where it is read, and to PostgreSQL X begins a string of bits.
    ("UPDATE images SET updated_at = '0000-00-00 00:00:00' WHERE id = ?", Either),
    ("UPDATE images SET created_at = TIMESTAMP 'infinity' WHERE id = ?", Served),
    ("UPDATE images SET updated_at = TIMESTAMP '-infinity' WHERE id = ?", Served),
    ("UPDATE images SET name = CAST(X'66ff' AS TEXT) WHERE id = ?", Either),
    ("UPDATE image_locations SET meta_data = '{broken' WHERE image_id = ?", Served),
    ("UPDATE image_locations SET meta_data = '[1]' WHERE image_id = ?", Served),
    ("UPDATE image_locations SET meta_data = '{\"store\": 7}' WHERE image_id = ?", Served),
    ("UPDATE image_locations SET meta_data = NULL WHERE image_id = ?", Served),
    ("UPDATE image_locations SET value = 'nothing://x' WHERE image_id = ?", Served),
    ("UPDATE image_locations SET value = '' WHERE image_id = ?", Served),
    (
        "INSERT INTO image_locations (image_id, value, meta_data, status, created_at, deleted) \
         SELECT image_id, value, meta_data, status, created_at, deleted FROM image_locations \
         WHERE image_id = ?",
        Served,
    ),
    ("UPDATE image_properties SET value = NULL WHERE image_id = ?", Served),
    ("UPDATE image_properties SET value = CAST(X'ff' AS TEXT) WHERE image_id = ?", Served),
    ("UPDATE image_properties SET value = REPEAT('x', 65000) WHERE image_id = ?", Served),
    ("UPDATE image_tags SET value = CAST(X'ff' AS TEXT) WHERE image_id = ?", Served),
    ("UPDATE image_members SET status = 'undecided' WHERE image_id = ?", Served),
    ("UPDATE image_members SET created_at = '0000-00-00 00:00:00' WHERE image_id = ?", Served),
];

#[tokio::test]
async fn a_row_that_no_service_writes_takes_no_other_with_it() {
    let Some((fresh, catalog)) = catalog().await else { return };
    for (sql, fate) in ODD {
        let (odd, good) = (full(catalog.as_ref()).await, full(catalog.as_ref()).await);
        if !fresh.tries(&sql.replace('?', &format!("'{odd}'"))).await {
            continue;
        }
        let got = catalog.get(&Viewer::service(), odd).await;
        match fate {
            Served => assert!(got.is_ok(), "{sql}: {got:?}"),
            Either => assert!(matches!(got, Ok(_) | Err(Error::Corrupt { .. })), "{sql}: {got:?}"),
            LeftOut => assert!(matches!(got, Err(Error::Corrupt { .. })), "{sql}: {got:?}"),
        }
        for listed in lists(catalog.as_ref()).await {
            assert!(listed.contains(&good), "{sql}");
            assert_eq!(listed.contains(&odd), got.is_ok(), "{sql}");
        }
        catalog.members(odd).await.unwrap();
        catalog.usage(Some("owner"), None).await.unwrap();
        // Gone, or refused: never with a panic.
        let _refused = catalog.delete(odd, &[]).await;
        catalog.delete(good, &[]).await.unwrap();
        fresh.tries(&format!("UPDATE images SET deleted = TRUE WHERE id = '{odd}'")).await;
        fresh.tries(&format!("UPDATE images SET deleted = 1 WHERE id = '{odd}'")).await;
    }
}

/// An active image with one of everything.
async fn full(catalog: &dyn Catalog) -> ImageId {
    let mut image = image("x");
    image.properties.insert("colour".into(), "red".into());
    image.tags.insert("t".into());
    catalog.create(&image).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap();
    catalog.add_member(image.id, "other").await.unwrap();
    image.id
}

/// What is listed, by each key in both directions.
async fn lists(catalog: &dyn Catalog) -> Vec<Vec<ImageId>> {
    let mut lists = Vec::new();
    for key in [SortKey::CreatedAt, SortKey::UpdatedAt, SortKey::Name, SortKey::Size] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = vec![Order { key, direction }];
            let query = ListQuery { order, limit: 100, ..ListQuery::default() };
            let images = catalog.list(&Viewer::service(), &query).await.unwrap();
            lists.push(images.iter().map(|image| image.id).collect());
        }
    }
    lists
}

const ODD_TASKS: [&str; 6] = [
    "UPDATE tasks SET type = 'dance' WHERE id = ?",
    "UPDATE tasks SET status = 'asleep' WHERE id = ?",
    "UPDATE tasks SET created_at = '0000-00-00 00:00:00' WHERE id = ?",
    "UPDATE tasks SET expires_at = NULL, updated_at = NULL WHERE id = ?",
    "UPDATE task_info SET input = '{broken', result = '' WHERE task_id = ?",
    "DELETE FROM task_info WHERE task_id = ?",
];

#[tokio::test]
async fn an_odd_task_takes_no_other_with_it() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.catalog().await;
    for sql in ODD_TASKS {
        let (odd, good) = (made(&catalog).await, made(&catalog).await);
        if fresh.tries(&sql.replace('?', &format!("'{}'", odd.id))).await {
            let listed = catalog.list_tasks(&tasks::query()).await.unwrap();
            assert!(listed.iter().any(|task| task.id == good.id), "{sql}");
            assert!(catalog.unfinished_tasks().await.is_ok(), "{sql}");
        }
    }
}

async fn made(catalog: &SqlCatalog) -> Task {
    tasks::created(catalog, "owner").await
}

#[tokio::test]
async fn what_is_read_only_is_read() {
    let Some((fresh, catalog)) = catalog().await else { return };
    let id = full(catalog.as_ref()).await;
    let Some(database) = fresh.read_only() else { return };
    let catalog = SqlCatalog::connect(&database).await.unwrap();
    assert!(catalog.get(&Viewer::service(), id).await.is_ok());
    assert_eq!(catalog.list(&Viewer::service(), &ListQuery::default()).await.unwrap().len(), 1);
    let refused = catalog.create(&image("y")).await;
    assert!(matches!(refused, Err(Error::ReadOnly(_))), "{refused:?}");
    let refused = catalog.add_tag(id, "y").await;
    assert!(matches!(refused, Err(Error::ReadOnly(_))), "{refused:?}");
}
