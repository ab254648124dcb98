//! What every catalog must do, whatever its database.

mod cached;
mod encrypted;
mod gathered;
mod given_up;
mod leftovers;
mod lists;
mod metadefs;
mod odd;
mod races;
mod statements;
mod tasks;
mod texts;
mod upkeep;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use catalog::sql::SqlCatalog;
use catalog::{
    Catalog, Comparison, Direction, Error, Filter, ImageChange, ListQuery, MemberFilter, Order,
    Quantity, Removal, SortKey, Stored, Viewer,
};
use image::{
    DataHashes, DiskFormat, Event, Image, ImageId, Location, MemberStatus, Status, Timestamp,
    Visibility,
};

use crate::fresh::Fresh;

async fn catalog() -> Option<(Fresh, Arc<dyn Catalog>)> {
    let fresh = Fresh::of(module_path!()).await?;
    let catalog = fresh.records(module_path!()).await;
    Some((fresh, catalog))
}

fn image(name: &str) -> Image {
    // Whole seconds, which is what MySQL keeps; one after the other, long ago.
    static AGE: AtomicI64 = AtomicI64::new(0);
    let seconds = 1_700_000_000 + AGE.fetch_add(1, Ordering::Relaxed);
    let created = Timestamp::from_microsecond(seconds * 1_000_000);
    let mut image = Image::new(ImageId::random(), Some("owner".into()), created);
    image.name = Some(name.into());
    image
}

fn stored() -> Stored {
    Stored {
        location: Location::new("file:///images/x", Some("file")),
        size: 7,
        virtual_size: Some(1 << 30),
        hashes: Some(DataHashes {
            checksum: Some("0".repeat(32)),
            algorithm: "sha512".into(),
            value: "1".repeat(128),
        }),
        upload: None,
    }
}

fn size(comparison: Comparison, bytes: i64) -> Filter {
    Filter::Number(Quantity::Size, comparison, bytes)
}

fn of(project: &str) -> Viewer {
    Viewer { project: Some(project.into()), is_admin: false }
}

async fn names(catalog: &dyn Catalog, viewer: &Viewer, query: ListQuery) -> Vec<String> {
    let images = catalog.list(viewer, &query).await.unwrap();
    images.into_iter().map(|image| image.name.unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_created() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut image = image("debian");
    image.disk_format = Some(DiskFormat::Qcow2);
    image.min_disk = 2;
    image.protected = true;
    image.properties = BTreeMap::from([("os_distro".into(), "debian".into())]);
    image.tags = BTreeSet::from(["a".into(), "b".into()]);
    catalog.create(&image).await.unwrap();
    assert_eq!(catalog.get(&Viewer::service(), image.id).await.unwrap(), image);
    assert!(matches!(catalog.create(&image).await, Err(Error::Duplicate(_))));
}

/// The bytes are inspected as what the formats say when the upload begins.
#[tokio::test]
async fn texts_come_back_as_they_are() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let texts =
        ["\"", "\\", "'", "{\"a\": [1]}", "[]", "null", "1", "", " ", "\n\t\u{1}", "\u{2028}ß€"];
    let mut record = image("texts");
    record.properties =
        texts.iter().enumerate().map(|(i, text)| (format!("p{i}"), (*text).to_owned())).collect();
    record.tags = texts.iter().map(|text| format!("t{text}")).collect();
    catalog.create(&record).await.unwrap();
    assert_eq!(
        catalog.get(&Viewer { project: None, is_admin: true }, record.id).await.unwrap(),
        record
    );
}

#[tokio::test]
async fn an_image_with_much_to_it_is_read_whole() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut record = image("much");
    record.properties = (0..40).map(|i| (format!("p{i}"), "x".repeat(65_000))).collect();
    catalog.create(&record).await.unwrap();
    assert_eq!(
        catalog.get(&Viewer { project: None, is_admin: true }, record.id).await.unwrap(),
        record
    );
}

#[tokio::test]
async fn formats_stay_from_the_beginning_of_an_upload() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let change =
        ImageChange { disk_format: Some(Some(DiskFormat::Qcow2)), ..ImageChange::default() };
    assert_eq!(
        catalog.update(image.id, &change).await.unwrap().disk_format,
        Some(DiskFormat::Qcow2)
    );
    catalog.transition(image.id, Event::BeginUpload).await.unwrap();
    let raw = ImageChange { disk_format: Some(Some(DiskFormat::Raw)), ..ImageChange::default() };
    let refused = catalog.update(image.id, &raw).await;
    assert!(matches!(refused, Err(Error::Conflict { status: Status::Saving, .. })), "{refused:?}");
    let renamed = ImageChange { name: Some(None), ..ImageChange::default() };
    assert_eq!(catalog.update(image.id, &renamed).await.unwrap().name, None);
    catalog.activate(image.id, &stored()).await.unwrap();
    assert!(matches!(catalog.update(image.id, &raw).await, Err(Error::Conflict { .. })));
}

#[tokio::test]
async fn an_upload_makes_an_image_active_whole() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap();
    let active = catalog.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!(active.status, Status::Active);
    assert_eq!(active.size, Some(7));
    assert_eq!(active.hashes, stored().hashes);
    assert_eq!(active.locations, [stored().location]);
}

#[tokio::test]
async fn of_two_uploads_one_begins() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let begin = || catalog.transition(image.id, Event::BeginUpload);
    let (one, other) = tokio::join!(begin(), begin());
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1);
    let lost = one.err().or(other.err()).unwrap();
    assert!(matches!(lost, Error::Conflict { status: Status::Saving, .. }), "{lost}");
    assert_eq!(catalog.ids_with_status(Status::Saving).await.unwrap(), [image.id]);
    assert_eq!(catalog.transition(image.id, Event::Abandon).await.unwrap(), Status::Queued);
}

#[tokio::test]
async fn a_deleted_image_is_gone_for_everybody_and_its_id_is_not_used_again() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap();
    assert_eq!(catalog.delete(image.id, &[]).await.unwrap(), [stored().location]);
    let gone = catalog.get(&Viewer::service(), image.id).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    assert!(matches!(catalog.delete(image.id, &[]).await, Err(Error::NotFound(_))));
    assert!(matches!(catalog.create(&image).await, Err(Error::Duplicate(_))));
    assert_eq!(catalog.status_of(image.id).await.unwrap(), Some(Status::Deleted));
    assert_eq!(catalog.status_of(ImageId::random()).await.unwrap(), None);
}

#[tokio::test]
async fn protection_keeps_an_image() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = Image { protected: true, ..image("x") };
    catalog.create(&image).await.unwrap();
    assert!(matches!(catalog.delete(image.id, &[]).await, Err(Error::Protected(_))));
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut image = image("before");
    image.properties = BTreeMap::from([("keep".into(), "1".into()), ("drop".into(), "2".into())]);
    image.tags = BTreeSet::from(["old".into()]);
    catalog.create(&image).await.unwrap();
    let change = ImageChange {
        name: Some(None),
        visibility: Some(Visibility::Public),
        properties: BTreeMap::from([("drop".into(), None), ("new".into(), Some("3".into()))]),
        tags: Some(BTreeSet::from(["new".into()])),
        ..Default::default()
    };
    let after = catalog.update(image.id, &change).await.unwrap();
    assert_eq!(after.name, None);
    assert_eq!(after.visibility, Visibility::Public);
    assert_eq!(after.owner, image.owner);
    let properties: Vec<_> = after.properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(properties, ["keep=1", "new=3"]);
    assert_eq!(after.tags, BTreeSet::from(["new".into()]));
    assert!(after.updated_at > image.updated_at);
    let revive = BTreeMap::from([("drop".into(), Some("again".into()))]);
    let change = ImageChange { properties: revive, ..Default::default() };
    assert_eq!(catalog.update(image.id, &change).await.unwrap().properties["drop"], "again");
}

#[tokio::test]
async fn who_sees_what() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    for visibility in Visibility::ALL {
        let image = Image { visibility: *visibility, ..image(visibility.as_str()) };
        catalog.create(&image).await.unwrap();
    }
    let shared = catalog.list(&of("owner"), &ListQuery::default()).await.unwrap();
    let shared = shared.iter().find(|image| image.visibility == Visibility::Shared).unwrap().id;
    catalog.add_member(shared, "member").await.unwrap();
    let list = |viewer: Viewer, status, filter: Option<Filter>| {
        let catalog = catalog.clone();
        async move {
            let filters = filter.into_iter().collect();
            let query = ListQuery { member_status: status, filters, ..Default::default() };
            let mut names = names(catalog.as_ref(), &viewer, query).await;
            names.sort();
            names
        }
    };
    let accepted = MemberFilter::Only(MemberStatus::Accepted);
    let nobody = Viewer { project: None, is_admin: false };
    let all = Some(Filter::Visibility(None));
    let community = Some(Filter::Visibility(Some(Visibility::Community)));
    let everything = ["community", "private", "public", "shared"];
    assert_eq!(list(of("owner"), accepted, None).await, everything);
    assert_eq!(list(of("stranger"), accepted, None).await, ["public"]);
    assert_eq!(list(nobody, accepted, None).await, ["public"]);
    assert_eq!(list(of("stranger"), accepted, community).await, ["community"]);
    assert_eq!(list(of("stranger"), accepted, all).await, ["community", "public"]);
    assert_eq!(list(of("member"), accepted, None).await, ["public"]);
    assert_eq!(list(of("member"), MemberFilter::All, None).await, ["public", "shared"]);
    catalog.set_member(shared, "member", MemberStatus::Accepted).await.unwrap();
    assert_eq!(list(of("member"), accepted, None).await, ["public", "shared"]);
    assert!(catalog.get(&of("member"), shared).await.is_ok());
    assert!(catalog.get(&of("stranger"), shared).await.is_err());
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order_and_direction() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    for i in 0..23_u32 {
        let mut image = image(&format!("n{:02}", i % 7));
        image.name = image.name.filter(|_| i % 5 != 0);
        image.disk_format = (i % 3 == 0).then_some(DiskFormat::Raw);
        image.size = (i % 4 != 0).then_some(u64::from(i % 6));
        catalog.create(&image).await.unwrap();
    }
    let keys = [SortKey::Name, SortKey::DiskFormat, SortKey::Size, SortKey::Id, SortKey::CreatedAt];
    for key in keys {
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = vec![Order { key, direction }];
            let whole = ListQuery { order: order.clone(), limit: 100, ..Default::default() };
            let whole = catalog.list(&of("owner"), &whole).await.unwrap();
            let mut paged: Vec<Image> = Vec::new();
            loop {
                let marker = paged.last().map(|image| image.id);
                let page =
                    ListQuery { order: order.clone(), limit: 5, marker, ..Default::default() };
                let page = catalog.list(&of("owner"), &page).await.unwrap();
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
            }
            assert_eq!(paged, whole, "{key:?} {direction:?}");
            assert_eq!(paged.len(), 23);
        }
    }
}

#[tokio::test]
async fn a_marker_that_is_not_seen_is_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let query = ListQuery { marker: Some(ImageId::random()), ..Default::default() };
    assert!(matches!(catalog.list(&of("owner"), &query).await, Err(Error::BadMarker(_))));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut first = image("first");
    first.tags = BTreeSet::from(["a".into(), "b".into()]);
    first.properties = BTreeMap::from([("os".into(), "debian".into())]);
    first.size = Some(10);
    let second = Image { os_hidden: true, protected: true, size: Some(20), ..image("second") };
    catalog.create(&first).await.unwrap();
    catalog.create(&second).await.unwrap();
    let both = Filter::Name(vec!["first".into(), "second".into()]);
    let tags = |tags: &[&str]| Filter::Tags(tags.iter().map(|tag| tag.to_string()).collect());
    let cases: Vec<(Vec<Filter>, &[&str])> = vec![
        (vec![], &["first"]),
        (vec![both.clone()], &["first"]),
        (vec![Filter::OsHidden(true)], &["second"]),
        (vec![Filter::OsHidden(true), Filter::Protected(false)], &[]),
        (vec![tags(&["a", "b"])], &["first"]),
        (vec![tags(&["a", "c"])], &[]),
        (vec![Filter::Property("os".into(), "debian".into())], &["first"]),
        (vec![Filter::Property("os".into(), "fedora".into())], &[]),
        (vec![size(Comparison::AtLeast, 10), size(Comparison::AtMost, 10)], &["first"]),
        (vec![size(Comparison::AtLeast, i64::MAX)], &[]),
        (vec![Filter::Status(vec![Status::Active])], &[]),
        (vec![Filter::Owner("owner".into())], &["first"]),
        (vec![Filter::Id(vec![first.id.to_string()])], &["first"]),
    ];
    for (filters, expected) in cases {
        let query = ListQuery { filters: filters.clone(), ..Default::default() };
        assert_eq!(names(catalog.as_ref(), &of("owner"), query).await, expected, "{filters:?}");
    }
}

#[tokio::test]
async fn members_come_and_go_and_come_again() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.add_member(image.id, "p").await.unwrap();
    let twice = catalog.add_member(image.id, "p").await;
    assert!(matches!(twice, Err(Error::DuplicateMember { .. })));
    catalog.remove_member(image.id, "p").await.unwrap();
    let absent = catalog.remove_member(image.id, "p").await;
    assert!(matches!(absent, Err(Error::MemberNotFound { .. })));
    let again = catalog.add_member(image.id, "p").await.unwrap();
    assert_eq!(again.status, MemberStatus::Pending);
    assert_eq!(catalog.members(image.id).await.unwrap(), [again]);
}

#[tokio::test]
async fn tags_are_a_set() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.add_tag(image.id, "t").await.unwrap();
    catalog.add_tag(image.id, "t").await.unwrap();
    assert!(catalog.remove_tag(image.id, "t").await.unwrap());
    assert!(!catalog.remove_tag(image.id, "t").await.unwrap());
}

#[tokio::test]
async fn sixty_four_writers_wait_for_each_other() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let writers = (0..64).map(|i| {
        let catalog = catalog.clone();
        tokio::spawn(async move { catalog.create(&image(&i.to_string())).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_database_of_another_revision_is_left_alone() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    drop(fresh.catalog().await);
    fresh.run("UPDATE alembic_version SET version_num = '2099_9_expand01'").await;
    let refused = SqlCatalog::connect(&fresh.database()).await.err().unwrap();
    assert!(refused.to_string().contains("2099_9_expand01"), "{refused}");
}

#[tokio::test]
async fn a_row_that_no_service_wrote_is_reported_and_left_out_of_lists() {
    let Some((fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    fresh.run("UPDATE images SET status = 'asleep'").await;
    let read = catalog.get(&Viewer::service(), image.id).await;
    assert!(matches!(read, Err(Error::Corrupt { .. })));
    assert!(names(catalog.as_ref(), &of("owner"), ListQuery::default()).await.is_empty());
}

/// Glance's collations on MySQL don't tell these apart.
const SIMILAR: [[&str; 2]; 3] = [["Os", "os"], ["arch", "arch "], ["cafe", "caf\u{e9}"]];

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn properties_of_similar_names_are_kept_apart_or_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let is_mysql = module_path!().contains("mysql");
    for [one, other] in SIMILAR {
        let both = properties(&[(one, "1"), (other, "2")]);
        let whole = Image { properties: both.clone(), ..image("both") };
        let first = Image { properties: properties(&[(one, "1")]), ..image("one") };
        catalog.create(&first).await.unwrap();
        let set = |name: &str| (name.to_owned(), Some("2".to_owned()));
        let remove = |name: &str| (name.to_owned(), None);
        let change = |properties: Vec<(String, Option<String>)>| ImageChange {
            properties: properties.into_iter().collect(),
            ..ImageChange::default()
        };
        let adding = change(vec![set(other)]);
        let (created, added) =
            (catalog.create(&whole).await, catalog.update(first.id, &adding).await);
        if is_mysql {
            assert!(matches!(created, Err(Error::SimilarProperties(_))), "{created:?}");
            assert!(matches!(added, Err(Error::SimilarProperties(_))), "{added:?}");
        } else {
            created.unwrap();
            assert_eq!(added.unwrap().properties, both);
            catalog.update(first.id, &change(vec![remove(other)])).await.unwrap();
        }
        let now = catalog.get(&Viewer::service(), first.id).await.unwrap();
        assert_eq!(now.properties, first.properties, "nothing is overwritten");
        // One that was never there is not the other one, and one that is removed makes room.
        catalog.update(first.id, &change(vec![remove(other)])).await.unwrap();
        for (old, new) in [(one, other), (other, one)] {
            let moving = change(vec![remove(old), set(new)]);
            let moved = catalog.update(first.id, &moving).await.unwrap();
            assert_eq!(moved.properties, properties(&[(new, "2")]));
        }
    }
}

#[tokio::test]
async fn a_tag_that_is_taken_off_is_no_similar_one() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    for similar in SIMILAR {
        let image = Image { tags: similar.map(str::to_owned).into(), ..image("tagged") };
        catalog.create(&image).await.unwrap();
        let [one, other] = similar;
        assert!(catalog.remove_tag(image.id, one).await.unwrap());
        let left = catalog.get(&Viewer::service(), image.id).await.unwrap().tags;
        assert_eq!(left, BTreeSet::from([other.to_owned()]));
        assert!(!catalog.remove_tag(image.id, one).await.unwrap());
        let tags = Some(BTreeSet::from([one.to_owned()]));
        let change = ImageChange { tags, ..ImageChange::default() };
        let tagged = catalog.update(image.id, &change).await.unwrap();
        assert_eq!(tagged.tags, BTreeSet::from([one.to_owned()]));
    }
}

async fn active(catalog: &dyn Catalog) -> ImageId {
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap();
    image.id
}

#[tokio::test]
async fn an_active_image_gets_and_loses_locations() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = active(catalog.as_ref()).await;
    let metadata = serde_json::json!({ "store": "slow", "mountpoint": "/srv" });
    let slow = Location::described("file:///slow/x", metadata.as_object().unwrap().clone());
    let image = catalog.add_location(id, &slow).await.unwrap();
    assert_eq!(image.locations, [stored().location, slow.clone()]);
    let again = catalog.add_location(id, &slow).await;
    assert!(matches!(again, Err(Error::DuplicateLocation { .. })), "{again:?}");

    let image = catalog.remove_location(id, &stored().location, &Removal::Now(None)).await.unwrap();
    assert_eq!(image.locations, std::slice::from_ref(&slow));
    let gone = catalog.remove_location(id, &stored().location, &Removal::Now(None)).await;
    assert!(matches!(gone, Err(Error::LocationNotFound { .. })), "{gone:?}");
    let last = catalog.remove_location(id, &slow, &Removal::Now(None)).await;
    assert!(matches!(last, Err(Error::LastLocation(_))), "{last:?}");
    assert_eq!(catalog.delete(id, &[]).await.unwrap(), [slow]);
}

#[tokio::test]
async fn a_location_is_found_by_its_uri_where_that_is_enough() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let id = active(catalog.as_ref()).await;
    let fast = Location::new("http://a/x", Some("fast"));
    let slow = Location::new("http://a/x", Some("slow"));
    catalog.add_location(id, &fast).await.unwrap();
    let found_out = Location::new("http://a/x", Some("elsewhere"));
    catalog.describe_location(id, &found_out, &slow).await.unwrap();
    catalog.add_location(id, &fast).await.unwrap();
    let unclear = catalog.remove_location(id, &found_out, &Removal::Now(None)).await;
    assert!(matches!(unclear, Err(Error::LocationNotFound { .. })), "{unclear:?}");
    let image = catalog.remove_location(id, &slow, &Removal::Now(None)).await.unwrap();
    assert_eq!(image.locations, [stored().location, fast]);
}

#[tokio::test]
async fn only_active_images_get_locations() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let refused = catalog.add_location(image.id, &stored().location).await;
    assert!(matches!(refused, Err(Error::Conflict { status: Status::Queued, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_location_that_was_refused_goes_when_bytes_come() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let refused = Location::new("http://a/x", Some("web"));
    let early = catalog.refuse(image.id, &refused).await;
    assert!(matches!(early, Err(Error::Conflict { status: Status::Queued, .. })), "{early:?}");
    catalog.transition(image.id, Event::BeginUpload).await.unwrap();
    catalog.refuse(image.id, &refused).await.unwrap();
    let queued = catalog.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!((queued.status, queued.size), (Status::Queued, None));
    assert_eq!(queued.locations, [refused]);
    let active = catalog.activate(image.id, &stored()).await.unwrap();
    assert_eq!(active.locations, [stored().location]);
}

#[tokio::test]
async fn digests_may_follow() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("x");
    catalog.create(&image).await.unwrap();
    let unread = Stored { hashes: None, ..stored() };
    assert_eq!(catalog.activate(image.id, &unread).await.unwrap().hashes, None);
    let hashes = DataHashes { checksum: None, ..stored().hashes.unwrap() };
    catalog.set_hashes(image.id, &hashes).await.unwrap();
    let read = catalog.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!(read.hashes, Some(hashes));
}
