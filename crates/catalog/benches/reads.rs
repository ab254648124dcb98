//! What the catalog costs: `cargo bench -p tintype-catalog -- [IMAGES]`. Prints microseconds of one
//! call after the other, from one task, on a database of so many images (10,000).

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use catalog::sql::SqlCatalog;
use catalog::{Catalog, Direction, Filter, ImageChange, ListQuery, Order, SortKey, Viewer};
use image::{Event, Image, ImageId, Timestamp, Visibility};

/// Repetitions of each read.
const TIMES: u32 = 2_000;

/// Owners of the images, in turn.
const PROJECTS: usize = 50;

#[tokio::main]
async fn main() {
    let images = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqlCatalog::open(&dir.path().join("glance.db")).await.unwrap();
    let began = Instant::now();
    let ids = fill(&catalog, images).await;
    report(&format!("create, {images} times"), began, images);
    let owner = Viewer { project: Some("project-1".into()), is_admin: false };
    let own: Vec<_> = ids.iter().copied().skip(1).step_by(PROJECTS).collect();
    for (who, viewer) in [("admin", Viewer::service()), ("project", owner)] {
        get(&catalog, who, &viewer, own[own.len() / 2]).await;
        for (what, query) in queries(own[own.len() / 2]) {
            list(&catalog, &format!("{what}, {who}"), &viewer, &query).await;
        }
    }
    writes(&catalog, &ids).await;
}

async fn fill(catalog: &SqlCatalog, images: u32) -> Vec<ImageId> {
    let mut ids = Vec::new();
    for i in 0..images as usize {
        let owner = format!("project-{}", i % PROJECTS);
        let mut image = Image::new(ImageId::random(), Some(owner), Timestamp::now());
        image.name = Some(format!("image-{i}"));
        image.visibility = Visibility::ALL[i % Visibility::ALL.len()];
        image.properties.insert("os_distro".into(), "debian".into());
        image.properties.insert("os_version".into(), "12".into());
        image.tags.insert("cloud".into());
        catalog.create(&image).await.unwrap();
        ids.push(image.id);
    }
    ids
}

fn queries(marker: ImageId) -> Vec<(&'static str, ListQuery)> {
    let all = ListQuery::default();
    let only = |filter| ListQuery { filters: vec![filter], ..all.clone() };
    let order = vec![Order { key: SortKey::Name, direction: Direction::Ascending }];
    vec![
        ("list of 25", all.clone()),
        ("list of 25, half way", ListQuery { marker: Some(marker), ..all.clone() }),
        ("list by name", only(Filter::Name(vec!["image-77".into()]))),
        ("list by owner", only(Filter::Owner("project-1".into()))),
        ("list public", only(Filter::Visibility(Some(Visibility::Public)))),
        ("list private", only(Filter::Visibility(Some(Visibility::Private)))),
        ("list by property, many", only(Filter::Property("os_distro".into(), "debian".into()))),
        ("list by property, none", only(Filter::Property("os_distro".into(), "none".into()))),
        ("list sorted by name", ListQuery { order, ..all.clone() }),
    ]
}

async fn get(catalog: &SqlCatalog, who: &str, viewer: &Viewer, id: ImageId) {
    let began = Instant::now();
    for _ in 0..TIMES {
        catalog.get(viewer, id).await.unwrap();
    }
    report(&format!("get, {who}"), began, TIMES);
}

async fn list(catalog: &SqlCatalog, what: &str, viewer: &Viewer, query: &ListQuery) {
    let times = TIMES / 20;
    let began = Instant::now();
    let mut found = 0;
    for _ in 0..times {
        found = catalog.list(viewer, query).await.unwrap().len();
    }
    report(&format!("{what} ({found})"), began, times);
}

async fn writes(catalog: &SqlCatalog, ids: &[ImageId]) {
    let count = u32::try_from(ids.len()).unwrap();
    let began = Instant::now();
    for id in ids {
        catalog.transition(*id, Event::BeginUpload).await.unwrap();
    }
    report("transition", began, count);
    let change = ImageChange { name: Some(Some("changed".into())), ..Default::default() };
    let began = Instant::now();
    for id in ids {
        catalog.update(*id, &change).await.unwrap();
    }
    report("update", began, count);
    let began = Instant::now();
    for id in ids {
        catalog.delete(*id, &[]).await.unwrap();
    }
    report("delete", began, count);
}

fn report(what: &str, began: Instant, times: u32) {
    let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(times);
    println!("{what:<44} {micros:>9.1} µs");
}
