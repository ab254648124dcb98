//! Tasks, their leases, and the records' part of imports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{
    Budget, Direction, Effect, Ending, Error, FAILED, IMPORTING, ImportStart, Imported,
    ImportedData, LOCK, Lease, Records, Renewed, STAGE_HOST, TaskColumn, TaskQuery, Upload, Viewer,
    holder,
};
use image::{
    ContainerFormat, DataHashes, DiskFormat, Event, Image, ImageId, Location, Status, Task, TaskId,
    TaskStatus, TaskType, Timestamp,
};
use serde_json::json;

use crate::fresh::Fresh;

const KEEP: Duration = Duration::from_secs(3600);

async fn catalog() -> Option<(Fresh, Arc<dyn Records>)> {
    let fresh = Fresh::of(module_path!()).await?;
    let catalog = fresh.records(module_path!()).await;
    Some((fresh, catalog))
}

fn task(owner: &str) -> Task {
    // Whole seconds, which is what MySQL keeps.
    let now = Timestamp::now().as_microsecond() / 1_000_000 * 1_000_000;
    let now = Timestamp::from_microsecond(now);
    Task::new(TaskType::ApiImageImport, owner.into(), json!({ "x": 1 }), now)
}

pub(super) fn query() -> TaskQuery {
    TaskQuery {
        owner: None,
        filters: Vec::new(),
        order: (TaskColumn::CreatedAt, Direction::Descending),
        marker: None,
        limit: 100,
    }
}

pub(super) async fn created(catalog: &dyn Records, owner: &str) -> Task {
    let task = task(owner);
    catalog.create_task(&task).await.unwrap();
    task
}

#[tokio::test]
async fn a_task_is_shown_as_it_was_made() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = created(catalog.as_ref(), "p").await;
    assert_eq!(catalog.task(task.id).await.unwrap(), task);
    let unknown = TaskId::random();
    let error = catalog.task(unknown).await.unwrap_err();
    assert!(matches!(error, Error::TaskNotFound(id) if id == unknown));
}

#[tokio::test]
async fn a_task_goes_from_pending_to_its_end() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = created(catalog.as_ref(), "p").await;
    let mut lease = Lease::of(&task);
    catalog.begin_task(&mut lease).await.unwrap();
    assert_eq!(catalog.renew_task(&mut lease, "Copied 1 MiB").await.unwrap(), Renewed::Held);
    let running = catalog.task(task.id).await.unwrap();
    assert_eq!(
        (running.status, running.message.as_str()),
        (TaskStatus::Processing, "Copied 1 MiB")
    );
    assert!(catalog.begin_task(&mut lease).await.is_err(), "it has begun");

    let ending = Ending::Success(json!({ "image_id": "i" }));
    catalog.end_task(&lease, &ending, KEEP).await.unwrap();
    let ended = catalog.task(task.id).await.unwrap();
    assert_eq!((ended.status, &ended.result["image_id"]), (TaskStatus::Success, &json!("i")));
    assert!(ended.expires_at > Some(ended.updated_at));
    let again = catalog.end_task(&lease, &Ending::Failure("no".into()), KEEP).await;
    assert!(matches!(again, Err(Error::LeaseLost(_))), "it has ended");
    assert!(catalog.unfinished_tasks().await.unwrap().is_empty());
}

/// A task whose last sign of life is long past.
async fn silent(catalog: &dyn Records) -> Task {
    let long_ago = Timestamp::from_microsecond(1_700_000_000_000_000);
    let task = Task { updated_at: long_ago, ..task("p") };
    catalog.create_task(&task).await.unwrap();
    task
}

#[tokio::test]
async fn who_was_taken_for_dead_can_change_nothing() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = silent(catalog.as_ref()).await;
    let mut old = Lease::of(&task);
    let seen = catalog.unfinished_tasks().await.unwrap().remove(0);
    let mut new = catalog.take_task_over(&seen).await.unwrap();
    assert!(matches!(catalog.take_task_over(&seen).await, Err(Error::LeaseLost(_))), "only once");
    assert!(matches!(catalog.begin_task(&mut old).await, Err(Error::LeaseLost(_))));
    assert!(matches!(catalog.renew_task(&mut old, "x").await, Err(Error::LeaseLost(_))));
    let ending = Ending::Failure("late".into());
    assert!(matches!(catalog.end_task(&old, &ending, KEEP).await, Err(Error::LeaseLost(_))));
    assert_eq!(catalog.renew_task(&mut new, "").await.unwrap(), Renewed::Held);
    catalog.end_task(&new, &ending, KEEP).await.unwrap();
}

#[tokio::test]
async fn whoever_works_on_a_task_learns_that_it_is_to_end() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = created(catalog.as_ref(), "p").await;
    let mut lease = Lease::of(&task);
    assert_eq!(catalog.cancel_task(task.id).await.unwrap(), TaskStatus::Pending);
    assert_eq!(catalog.renew_task(&mut lease, "going on").await.unwrap(), Renewed::Cancelled);
    assert_eq!(catalog.renew_task(&mut lease, "going on").await.unwrap(), Renewed::Cancelled);
    catalog.end_task(&lease, &Ending::Failure("Cancelled.".into()), KEEP).await.unwrap();
    assert_eq!(catalog.cancel_task(task.id).await.unwrap(), TaskStatus::Failure);
    assert_eq!(catalog.task(task.id).await.unwrap().message, "Cancelled.");
}

/// Also where the database has no room for characters of four bytes, or for a zero.
#[tokio::test]
async fn a_task_ends_whatever_its_message_repeats() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = created(catalog.as_ref(), "p").await;
    let ending = Ending::Failure("It said: ü\0🦀.".into());
    catalog.end_task(&Lease::of(&task), &ending, KEEP).await.unwrap();
    let ended = catalog.task(task.id).await.unwrap();
    assert_eq!(ended.message, "It said: ü\u{fffd}\u{fffd}.");
}

#[tokio::test]
async fn tasks_whose_time_is_over_are_gone() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let (old, young) = (created(catalog.as_ref(), "p").await, created(catalog.as_ref(), "p").await);
    let ending = Ending::Failure(String::new());
    catalog.end_task(&Lease::of(&old), &ending, Duration::ZERO).await.unwrap();
    catalog.end_task(&Lease::of(&young), &ending, KEEP).await.unwrap();
    assert_eq!(catalog.expire_tasks().await.unwrap(), 1);
    assert!(matches!(catalog.task(old.id).await, Err(Error::TaskNotFound(_))));
    let listed = catalog.list_tasks(&query()).await.unwrap();
    assert_eq!(listed.iter().map(|task| task.id).collect::<Vec<_>>(), [young.id]);
}

#[tokio::test]
async fn lists_are_ordered_and_paged_by_every_column() {
    use TaskColumn::*;
    let Some((_fresh, catalog)) = catalog().await else { return };
    for number in 0..7_u8 {
        let image_id = (number % 2 == 0).then(|| format!("image {}", number % 3));
        let task = Task { image_id, ..task(&format!("owner {}", number % 2)) };
        catalog.create_task(&task).await.unwrap();
    }
    for column in
        [Id, Kind, Status, Owner, ImageId, UserId, RequestId, CreatedAt, UpdatedAt, ExpiresAt]
    {
        for direction in [Direction::Ascending, Direction::Descending] {
            let all = TaskQuery { order: (column, direction), ..query() };
            let whole: Vec<_> =
                catalog.list_tasks(&all).await.unwrap().iter().map(|task| task.id).collect();
            let mut paged = Vec::new();
            while let Some(page) =
                Some(TaskQuery { marker: paged.last().copied(), limit: 2, ..all.clone() })
            {
                let page = catalog.list_tasks(&page).await.unwrap();
                if page.is_empty() {
                    break;
                }
                paged.extend(page.iter().map(|task| task.id));
            }
            assert_eq!(paged, whole, "{column:?} {direction:?}");
            assert_eq!(whole.len(), 7);
        }
    }
}

#[tokio::test]
async fn lists_hold_only_what_is_asked_for() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let ours = created(catalog.as_ref(), "ours").await;
    let theirs = created(catalog.as_ref(), "theirs").await;
    let ids = |tasks: Vec<Task>| tasks.iter().map(|task| task.id).collect::<Vec<_>>();
    let of_owner = TaskQuery { owner: Some("ours".into()), ..query() };
    assert_eq!(ids(catalog.list_tasks(&of_owner).await.unwrap()), [ours.id]);
    let filters = vec![(TaskColumn::Owner, "theirs".to_owned())];
    let filtered = TaskQuery { filters, ..query() };
    assert_eq!(ids(catalog.list_tasks(&filtered).await.unwrap()), [theirs.id]);
    let unknown = TaskQuery { marker: Some(TaskId::random()), ..query() };
    assert!(matches!(catalog.list_tasks(&unknown).await, Err(Error::TaskNotFound(_))));
}

async fn image(catalog: &dyn Records) -> ImageId {
    let mut image = Image::new(ImageId::random(), Some("p".into()), Timestamp::now());
    image.disk_format = Some(DiskFormat::Qcow2);
    image.container_format = Some(ContainerFormat::Bare);
    catalog.create(&image).await.unwrap();
    image.id
}

async fn shown(catalog: &dyn Records, id: ImageId) -> Image {
    catalog.get(&Viewer::service(), id).await.unwrap()
}

fn start(id: ImageId, stores: &[&str]) -> ImportStart {
    let task = Task { image_id: Some(id.to_string()), ..task("p") };
    let stores = stores.iter().map(|name| (*name).to_owned()).collect();
    ImportStart { task, effect: Effect::Fills, stores, preempts: None }
}

fn imported(stores: &[&str], failed: &[&str]) -> Imported {
    let location = |name: &&str| Location::new(format!("file:///{name}/x"), Some(name));
    Imported {
        locations: stores.iter().map(location).collect(),
        failed: failed.iter().map(|name| (*name).to_owned()).collect(),
        stores: stores.iter().chain(failed).map(|name| (*name).to_owned()).collect(),
        data: Some(ImportedData {
            size: 7,
            virtual_size: Some(9),
            hashes: DataHashes {
                checksum: Some("0".repeat(32)),
                algorithm: "sha512".into(),
                value: "1".repeat(128),
            },
            formats: Some((DiskFormat::Raw, ContainerFormat::Bare)),
        }),
        properties: BTreeMap::from([("origin".to_owned(), "import".to_owned())]),
    }
}

#[tokio::test]
async fn an_import_changes_image_and_task_together() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = image(catalog.as_ref()).await;
    let start = start(id, &["b", "a"]);
    catalog.begin_import(id, &start).await.unwrap();
    let during = shown(catalog.as_ref(), id).await;
    assert_eq!(during.status, Status::Importing);
    assert_eq!(during.properties[LOCK], start.task.id.to_string());
    assert_eq!(during.properties[IMPORTING], "a,b");

    let mut lease = Lease::of(&start.task);
    catalog.begin_task(&mut lease).await.unwrap();
    catalog.finish_import(&lease, id, &imported(&["a"], &["b"]), None, KEEP).await.unwrap();
    let after = shown(catalog.as_ref(), id).await;
    assert_eq!((after.status, after.size, after.virtual_size), (Status::Active, Some(7), Some(9)));
    assert_eq!((after.disk_format, after.locations.len()), (Some(DiskFormat::Raw), 1));
    assert_eq!(
        (after.properties[IMPORTING].as_str(), after.properties[FAILED].as_str()),
        ("", "b")
    );
    assert_eq!(after.properties["origin"], "import");
    assert!(!after.properties.contains_key(LOCK));
    assert_eq!(catalog.task(start.task.id).await.unwrap().status, TaskStatus::Success);
}

#[tokio::test]
async fn an_attachment_keeps_others_from_its_image_until_its_task_ends() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = image(catalog.as_ref()).await;
    let attachment = || ImportStart { effect: Effect::Attaches, ..start(id, &[]) };
    for ending in [Ending::Failure("why".to_owned()), Ending::Success(json!({}))] {
        let started = attachment();
        catalog.begin_import(id, &started).await.unwrap();
        let during = shown(catalog.as_ref(), id).await;
        assert_eq!(during.status, Status::Queued);
        assert_eq!(during.properties[LOCK], started.task.id.to_string());
        assert!(!during.properties.contains_key(IMPORTING));
        for other in [start(id, &["a"]), attachment()] {
            let error = catalog.begin_import(id, &other).await.unwrap_err();
            assert!(matches!(error, Error::ImportLocked { .. }), "{error}");
        }
        let lease = Lease::of(&started.task);
        catalog.end_attachment(&lease, id, &ending, KEEP).await.unwrap();
        assert!(!shown(catalog.as_ref(), id).await.properties.contains_key(LOCK));
        assert!(catalog.task(started.task.id).await.unwrap().status.is_final());
    }
    catalog.transition(id, Event::BeginUpload).await.unwrap();
    let error = catalog.begin_import(id, &attachment()).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn a_failed_import_puts_the_image_back() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = image(catalog.as_ref()).await;
    let node = catalog.node(&holder("us")).await.unwrap();
    let upload = Upload::of(id);
    catalog.begin_upload(node, &upload, Event::BeginStaging).await.unwrap();
    catalog.staged(&upload, 5, Some("http://here")).await.unwrap();
    assert_eq!(catalog.uploads().await.unwrap(), []);
    assert_eq!(shown(catalog.as_ref(), id).await.properties[STAGE_HOST], "http://here");
    let start = start(id, &["a"]);
    catalog.begin_import(id, &start).await.unwrap();
    assert!(!shown(catalog.as_ref(), id).await.properties.contains_key(STAGE_HOST));
    let lease = Lease::of(&start.task);
    catalog.abandon_import(&lease, id, &start.stores, "why", KEEP).await.unwrap();
    let after = shown(catalog.as_ref(), id).await;
    assert_eq!((after.status, after.size), (Status::Queued, None));
    assert_eq!(
        (after.properties[IMPORTING].as_str(), after.properties[FAILED].as_str()),
        ("", "a")
    );
    assert!(!after.properties.contains_key(LOCK));
    let task = catalog.task(start.task.id).await.unwrap();
    assert_eq!((task.status, task.message.as_str()), (TaskStatus::Failure, "why"));
}

#[tokio::test]
async fn who_has_not_heard_that_a_sign_of_life_was_taken_has_the_lease() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let now = task("p");
    let minute = |minutes: i64| {
        Timestamp::from_microsecond(now.updated_at.as_microsecond() - minutes * 60_000_000)
    };
    let task = Task { updated_at: minute(1), ..now.clone() };
    catalog.create_task(&task).await.unwrap();
    let mut heard = Lease::of(&task);
    catalog.begin_task(&mut heard).await.unwrap();
    let unheard = Lease { unheard: Some(heard.renewed_at), ..Lease::of(&task) };
    let mut again = unheard;
    catalog.begin_task(&mut again).await.unwrap();
    assert_eq!(again, heard);
    let mut another = Lease { unheard: Some(minute(2)), ..unheard };
    assert!(catalog.renew_task(&mut another, "").await.is_err());
    let mut again = unheard;
    assert_eq!(catalog.renew_task(&mut again, "").await.unwrap(), Renewed::Held);
    assert_eq!(again, heard);
    catalog.end_task(&unheard, &Ending::Success(json!(null)), KEEP).await.unwrap();
}

#[tokio::test]
async fn a_task_begins_once() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let task = created(catalog.as_ref(), "p").await;
    let (mut one, mut another) = (Lease::of(&task), Lease::of(&task));
    catalog.begin_task(&mut one).await.unwrap();
    let error = catalog.begin_task(&mut another).await.unwrap_err();
    assert!(matches!(error, Error::LeaseLost(_)), "{error}");
}

#[tokio::test]
async fn an_image_has_one_import_at_a_time_unless_its_lock_is_stale() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = image(catalog.as_ref()).await;
    let first = ImportStart { effect: Effect::Copies, ..start(id, &["a"]) };
    catalog.begin_import(id, &first).await.unwrap();
    let second = start(id, &["b"]);
    let error = catalog.begin_import(id, &second).await.unwrap_err();
    assert!(matches!(error, Error::ImportLocked { .. }), "{error}");
    assert!(catalog.task(second.task.id).await.is_err(), "nothing of it stays");

    let preempting = ImportStart { preempts: Some(first.task.id), ..second };
    catalog.begin_import(id, &preempting).await.unwrap();
    let preempted = catalog.task(first.task.id).await.unwrap();
    assert_eq!(preempted.message, "Expired lock preempted");
    let mut late = Lease::of(&preempted);
    assert!(catalog.renew_task(&mut late, "").await.is_err());
    let lease = Lease::of(&preempting.task);
    catalog.finish_import(&lease, id, &imported(&["b"], &[]), None, KEEP).await.unwrap();
    assert_eq!(shown(catalog.as_ref(), id).await.status, Status::Active);
}

#[tokio::test]
async fn an_image_that_is_deleted_meanwhile_stays_so() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = image(catalog.as_ref()).await;
    let start = start(id, &["a"]);
    catalog.begin_import(id, &start).await.unwrap();
    catalog.delete(id, &[]).await.unwrap();
    let lease = Lease::of(&start.task);
    let error =
        catalog.finish_import(&lease, id, &imported(&["a"], &[]), None, KEEP).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    catalog.abandon_import(&lease, id, &start.stores, "deleted", KEEP).await.unwrap();
    assert_eq!(catalog.status_of(id).await.unwrap(), Some(Status::Deleted));
    assert_eq!(catalog.task(start.task.id).await.unwrap().status, TaskStatus::Failure);
}

/// An import that has begun, and has its bytes.
async fn ready(catalog: &dyn Records, effect: Effect) -> (ImageId, Lease) {
    let id = image(catalog).await;
    let start = ImportStart { effect, ..start(id, &["a"]) };
    catalog.begin_import(id, &start).await.unwrap();
    (id, Lease::of(&start.task))
}

fn budget(imports: u64) -> Budget {
    Budget { owner: Some("p".into()), bytes: imports * 7 }
}

#[tokio::test]
async fn of_many_imports_at_once_only_as_many_end_well_as_the_budget_allows() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut imports = Vec::new();
    for _ in 0..8 {
        let (id, lease) = ready(catalog.as_ref(), Effect::Fills).await;
        let catalog = catalog.clone();
        imports.push(tokio::spawn(async move {
            let given = imported(&["a"], &[]);
            let ended = catalog.finish_import(&lease, id, &given, Some(&budget(3)), KEEP).await;
            (id, lease, ended)
        }));
    }
    let mut active = 0;
    for import in imports {
        let (id, lease, ended) = import.await.unwrap();
        match ended {
            Ok(()) => active += 1,
            Err(error) => {
                assert!(matches!(error, Error::OverBudget { size: 7, remaining: 0 }), "{error:?}");
                assert_eq!(shown(catalog.as_ref(), id).await.status, Status::Importing);
                catalog.abandon_import(&lease, id, &[], "no room", KEEP).await.unwrap();
            }
        }
    }
    assert_eq!(active, 3);
}

/// As Glance counts: what the image itself has already counts as left.
#[tokio::test]
async fn a_copy_needs_room_for_the_bytes_of_its_image() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let (id, lease) = ready(catalog.as_ref(), Effect::Fills).await;
    let given = imported(&["a"], &[]);
    catalog.finish_import(&lease, id, &given, Some(&budget(1)), KEEP).await.unwrap();

    let copy = ImportStart { effect: Effect::Copies, ..start(id, &["b"]) };
    catalog.begin_import(id, &copy).await.unwrap();
    let given = Imported { data: None, ..imported(&["b"], &[]) };
    let lease = Lease::of(&copy.task);
    let refused = catalog.finish_import(&lease, id, &given, Some(&budget(0)), KEEP).await;
    assert!(matches!(refused, Err(Error::OverBudget { size: 7, .. })), "{refused:?}");
    catalog.finish_import(&lease, id, &given, Some(&budget(1)), KEEP).await.unwrap();
    assert_eq!(shown(catalog.as_ref(), id).await.locations.len(), 2);
}
