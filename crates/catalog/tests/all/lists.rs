//! Lists find the same images in the same order whatever indexes there are.

use super::*;

/// Images of every visibility, of three projects and of nobody, shared to and fro.
async fn fill(catalog: &dyn Catalog) {
    for i in 0..96_usize {
        let mut image = image(&format!("name-{}", i % 7));
        image.name = image.name.filter(|_| i % 11 != 0);
        image.owner = [Some("one"), Some("two"), Some("three"), None][i % 4].map(str::to_owned);
        image.visibility = Visibility::ALL[i / 4 % 4];
        image.os_hidden = i % 13 == 5;
        image.tags = [format!("tag-{}", i % 3), format!("other-{}", i % 5)].into();
        image.properties = [("kind".to_owned(), (i % 4).to_string())].into();
        image.disk_format = [None, Some(DiskFormat::Raw), Some(DiskFormat::Qcow2)][i % 3];
        image.size = (i % 5 != 0).then_some((i % 9) as u64);
        catalog.create(&image).await.unwrap();
        let member = ["one", "two", "three"][i % 3];
        if image.visibility == Visibility::Shared && i % 2 == 0 {
            catalog.add_member(image.id, member).await.unwrap();
            let answer = if i % 8 == 0 { MemberStatus::Pending } else { MemberStatus::Accepted };
            catalog.set_member(image.id, member, answer).await.unwrap();
        }
        if i % 10 == 9 {
            catalog.delete(image.id, &[]).await.unwrap();
        }
    }
}

fn filters() -> Vec<Vec<Filter>> {
    let visible = |visibility| Filter::Visibility(Some(visibility));
    let of_format = Filter::DiskFormat(vec![DiskFormat::Raw]);
    let tagged = Filter::Tags(["tag-1".into(), "other-2".into()].into());
    let property = Filter::Property("kind".into(), "2".into());
    let mut filters: Vec<_> = Visibility::ALL.iter().map(|v| vec![visible(*v)]).collect();
    filters.extend([
        vec![],
        vec![Filter::Visibility(None)],
        vec![Filter::Name(vec!["name-3".into()])],
        vec![Filter::Name(vec!["name-3".into(), "name-5".into()])],
        vec![Filter::Owner("one".into())],
        vec![Filter::Status(vec![Status::Queued])],
        vec![Filter::Status(vec![Status::Queued, Status::Active])],
        vec![tagged.clone()],
        vec![property.clone()],
        vec![size(Comparison::AtLeast, 4)],
        vec![Filter::OsHidden(true)],
        vec![of_format],
        vec![property, Filter::Visibility(None)],
        vec![tagged, visible(Visibility::Shared)],
    ]);
    filters
}

fn orders() -> Vec<Vec<Order>> {
    use Direction::{Ascending, Descending};
    let by = |key, direction| Order { key, direction };
    vec![
        vec![],
        vec![by(SortKey::CreatedAt, Ascending)],
        vec![by(SortKey::Name, Ascending)],
        vec![by(SortKey::Name, Descending)],
        vec![by(SortKey::Size, Ascending), by(SortKey::Name, Descending)],
        vec![by(SortKey::DiskFormat, Descending), by(SortKey::Id, Ascending)],
        vec![by(SortKey::Status, Descending), by(SortKey::Size, Ascending)],
        vec![by(SortKey::Name, Ascending), by(SortKey::UpdatedAt, Descending)],
        vec![by(SortKey::Size, Ascending)],
        vec![by(SortKey::Size, Descending)],
        vec![by(SortKey::UpdatedAt, Descending)],
        vec![by(SortKey::Status, Ascending)],
        vec![by(SortKey::Name, Descending), by(SortKey::Size, Descending)],
    ]
}

/// Each key, and each with the size or the name behind it, in both directions.
fn all_orders() -> Vec<Vec<Order>> {
    let keys = [
        SortKey::Name,
        SortKey::Status,
        SortKey::ContainerFormat,
        SortKey::DiskFormat,
        SortKey::Size,
        SortKey::Id,
        SortKey::CreatedAt,
        SortKey::UpdatedAt,
    ];
    let directions = [Direction::Ascending, Direction::Descending];
    let single: Vec<Order> = keys
        .into_iter()
        .flat_map(|key| directions.map(|direction| Order { key, direction }))
        .collect();
    let second = |order: &&Order| matches!(order.key, SortKey::Size | SortKey::Name);
    let two = single.iter().flat_map(|first| {
        let others = single.iter().filter(second).filter(|second| second.key != first.key);
        others.map(|second| vec![*first, *second]).collect::<Vec<_>>()
    });
    single.iter().map(|only| vec![*only]).chain(two).collect()
}

/// The ids of images in the order that a list has by these keys. An absent value is the smallest.
fn sorted(images: &[Image], asked: &[Order]) -> Vec<ImageId> {
    let direction = match asked {
        [only] => only.direction,
        _ => Direction::Descending,
    };
    let mut order = asked.to_vec();
    order.extend([SortKey::CreatedAt, SortKey::Id].map(|key| Order { key, direction }));
    let mut images: Vec<_> = images.iter().collect();
    images.sort_by(|a, b| {
        let by = |order: &Order| match order.direction {
            Direction::Ascending => compare(a, b, order.key),
            Direction::Descending => compare(b, a, order.key),
        };
        order.iter().map(by).find(|way| way.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    images.into_iter().map(|image| image.id).collect()
}

fn compare(a: &Image, b: &Image, key: SortKey) -> std::cmp::Ordering {
    let text = |word: &dyn ToString| word.to_string();
    match key {
        SortKey::Name => a.name.cmp(&b.name),
        SortKey::Status => text(&a.status).cmp(&text(&b.status)),
        SortKey::ContainerFormat => {
            let format = |image: &Image| image.container_format.as_ref().map(|f| text(f));
            format(a).cmp(&format(b))
        }
        SortKey::DiskFormat => {
            let format = |image: &Image| image.disk_format.as_ref().map(|f| text(f));
            format(a).cmp(&format(b))
        }
        SortKey::Size => a.size.cmp(&b.size),
        SortKey::Id => text(&a.id).cmp(&text(&b.id)),
        SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
        SortKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
    }
}

/// All pages, one after the other.
async fn pages(catalog: &SqlCatalog, viewer: &Viewer, query: &ListQuery) -> Vec<ImageId> {
    let mut query = ListQuery { limit: 7, ..query.clone() };
    let mut found = Vec::new();
    loop {
        let page = catalog.list(viewer, &query).await.unwrap();
        found.extend(page.iter().map(|image| image.id));
        match page.last() {
            Some(last) if page.len() == 7 => query.marker = Some(last.id),
            _ => break found,
        }
    }
}

#[tokio::test]
async fn further_indexes_change_no_list() {
    if module_path!().contains("registry") {
        // Which indexes there are is none of its business.
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let plain = fresh.catalog().await;
    fill(&plain).await;
    let added = plain.add_indexes().await.unwrap();
    assert!(added.iter().any(|index| index.name == "tintype_images_name"), "{added:?}");
    assert_eq!(plain.add_indexes().await.unwrap(), []);
    let indexed = fresh.catalog().await;
    let nobody = Viewer { project: None, is_admin: false };
    for viewer in [Viewer::service(), of("one"), of("two"), nobody] {
        for (place, filters) in filters().into_iter().enumerate() {
            // Each filter meets a third of the orders.
            for order in orders().into_iter().skip(place % 3).step_by(3) {
                let query = ListQuery { filters: filters.clone(), order, ..ListQuery::default() };
                let expected = pages(&plain, &viewer, &query).await;
                let found = pages(&indexed, &viewer, &query).await;
                assert_eq!(found, expected, "{viewer:?} {query:?}");
            }
        }
    }
    for member_status in [MemberFilter::All, MemberFilter::Only(MemberStatus::Pending)] {
        let query = ListQuery { member_status, ..ListQuery::default() };
        let expected = pages(&plain, &of("one"), &query).await;
        assert_eq!(pages(&indexed, &of("one"), &query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_any_order() {
    if module_path!().contains("registry") {
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let plain = fresh.catalog().await;
    fill(&plain).await;
    plain.add_indexes().await.unwrap();
    let indexed = fresh.catalog().await;
    for viewer in [Viewer::service(), of("one")] {
        let all = ListQuery { limit: 1000, ..ListQuery::default() };
        let images = plain.list(&viewer, &all).await.unwrap();
        for order in all_orders() {
            let query = ListQuery { order: order.clone(), ..ListQuery::default() };
            let expected = sorted(&images, &order);
            assert_eq!(pages(&plain, &viewer, &query).await, expected, "{viewer:?} {order:?}");
            assert_eq!(pages(&indexed, &viewer, &query).await, expected, "{viewer:?} {order:?}");
        }
    }
}

/// Images that are deleted, with a property and a tag that so are of many; and a property that an image
/// had.
const MANY: [&str; 4] = [
    "INSERT INTO images \
     (id, name, status, created_at, deleted, min_disk, min_ram, visibility) \
     SELECT REPLACE(a.id, SUBSTR(a.id, 1, 13), SUBSTR(b.id, 1, 13)), 'gone', 'deleted', \
     a.created_at, TRUE, 0, 0, 'public' FROM images a CROSS JOIN images b WHERE a.id <> b.id \
     LIMIT 1200",
    "INSERT INTO image_properties (image_id, name, value, created_at, deleted) \
     SELECT id, 'kind', '2', created_at, FALSE FROM images WHERE name = 'gone'",
    "INSERT INTO image_tags (image_id, value, created_at, deleted) \
     SELECT id, 'tag-1', created_at, FALSE FROM images WHERE name = 'gone'",
    "UPDATE image_properties SET deleted = TRUE WHERE value = '2' AND image_id IN \
     (SELECT id FROM images WHERE name = 'name-3')",
];

#[tokio::test]
async fn what_many_images_have_finds_the_same_ones() {
    if module_path!().contains("registry") {
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let plain = fresh.catalog().await;
    fill(&plain).await;
    for sql in MANY {
        fresh.run(sql).await;
    }
    plain.add_indexes().await.unwrap();
    let indexed = fresh.catalog().await;
    let property = Filter::Property("kind".into(), "2".into());
    let tag = Filter::Tags(["tag-1".into()].into());
    let queued = Filter::Status(vec![Status::Queued]);
    let public = Filter::Visibility(Some(Visibility::Public));
    let all = Filter::Visibility(None);
    for filters in [
        vec![property.clone()],
        vec![tag.clone(), queued],
        vec![public, tag.clone()],
        vec![property, size(Comparison::AtLeast, 1), all, tag],
    ] {
        for (viewer, order) in [Viewer::service(), of("one"), of("two")]
            .into_iter()
            .flat_map(|viewer| orders().into_iter().map(move |order| (viewer.clone(), order)))
        {
            let query = ListQuery { filters: filters.clone(), order, ..ListQuery::default() };
            let expected = pages(&plain, &viewer, &query).await;
            assert_eq!(pages(&indexed, &viewer, &query).await, expected, "{viewer:?} {query:?}");
        }
    }
}
