//! How many statements an operation takes, with the beginning and the end of its transaction.

use std::sync::atomic::AtomicUsize;

use catalog::Leftover;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event as Logged, Metadata, Subscriber};

use super::*;

/// Counts what the catalog logs about statements.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("catalog::sql::dialect")
    }

    fn event(&self, _: &Logged<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// How many statements the work takes, on this thread.
pub(super) async fn count<T>(work: impl Future<Output = catalog::Result<T>>) -> usize {
    let statements = Statements::default();
    let _here = tracing::subscriber::set_default(statements.clone());
    work.await.unwrap();
    statements.0.load(Ordering::Relaxed)
}

fn full(name: &str) -> Image {
    let mut image = image(name);
    let property = |i| (format!("property-{i}"), "value".to_owned());
    image.properties = (0..5).map(property).collect();
    image.tags = BTreeSet::from(["a".into(), "b".into()]);
    image
}

#[tokio::test]
async fn no_operation_takes_more_statements_than_it_needs() {
    if module_path!().contains("registry") {
        // The registry asks its catalog elsewhere.
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.catalog().await;
    let (first, second) = (full("first"), image("second"));
    assert_eq!(count(catalog.create(&first)).await, 2 + 3, "the image, its properties, its tags");
    assert_eq!(count(catalog.create(&second)).await, 2 + 1);
    for _ in 0..30 {
        catalog.create(&full("more")).await.unwrap();
    }
    for viewer in [Viewer::service(), of("owner")] {
        assert_eq!(count(catalog.get(&viewer, first.id)).await, 1);
    }
    let change = ImageChange { name: Some(Some("x".into())), ..ImageChange::default() };
    assert_eq!(count(catalog.update(first.id, &change)).await, 2 + 2, "to change it, to read it");
    assert_eq!(count(catalog.usage(Some("owner"), None)).await, 1);
    assert_eq!(
        count(catalog.delete(second.id, &[])).await,
        2 + 5,
        "look, locations, image, parts, locations"
    );
    let left = |id| [Leftover::going(id, "store")];
    // The first one makes the store known.
    let (third, fourth) = (full("third"), full("fourth"));
    for image in [&third, &fourth] {
        catalog.create(image).await.unwrap();
    }
    catalog.delete(third.id, &left(third.id)).await.unwrap();
    assert_eq!(
        count(catalog.delete(fourth.id, &left(fourth.id))).await,
        2 + 8,
        "and two kinds of parts, and what is left in one store"
    );
}

#[tokio::test]
async fn a_list_takes_three_statements_at_most() {
    if module_path!().contains("registry") {
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let plain = fresh.catalog().await;
    let marker = Image { visibility: Visibility::Public, ..full("first") };
    plain.create(&marker).await.unwrap();
    for _ in 0..30 {
        plain.create(&full("more")).await.unwrap();
    }
    plain.add_indexes().await.unwrap();
    let indexed = fresh.catalog().await;
    let page = ListQuery::default();
    let next = ListQuery { marker: Some(marker.id), ..page.clone() };
    let filters = vec![Filter::Property("property-1".into(), "value".into())];
    let filtered = ListQuery { filters, ..page.clone() };
    let both = ListQuery { marker: Some(marker.id), ..filtered.clone() };
    for viewer in [Viewer::service(), of("owner"), of("other")] {
        for catalog in [&plain, &indexed] {
            for query in [&page, &next, &filtered, &both] {
                let taken = count(catalog.list(&viewer, query)).await;
                assert!(taken <= 2, "{taken} statements: {query:?}");
            }
        }
    }
    assert_eq!(count(indexed.list(&Viewer::service(), &page)).await, 1);
    // How far a page goes by the first of two keys is one more, and so are nulls behind all values.
    let by = |key| Order { key, direction: Direction::Descending };
    for order in [vec![by(SortKey::Name), by(SortKey::Size)], vec![by(SortKey::Name)]] {
        for (viewer, list) in [Viewer::service(), of("other")]
            .into_iter()
            .flat_map(|viewer| [&page, &next, &filtered, &both].map(|list| (viewer.clone(), list)))
        {
            let query = ListQuery { order: order.clone(), ..list.clone() };
            let taken = count(indexed.list(&viewer, &query)).await;
            assert!(taken <= 3, "{taken} statements: {query:?}");
        }
    }
}
