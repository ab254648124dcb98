//! Reads that wait at the same moment share statements. Nobody can tell: each has the answer that it
//! would have alone, of after it asked.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::future::join_all;

use super::statements::count;
use super::*;

/// Images of every visibility, of two projects and of nobody; of what is shared, one of each is offered
/// to a third.
async fn fill(catalog: &dyn Catalog) -> Vec<ImageId> {
    let mut ids = Vec::new();
    for owner in [Some("one"), Some("two"), None] {
        for visibility in Visibility::ALL {
            for is_offered in [false, true] {
                let mut image = full(visibility.as_str());
                image.owner = owner.map(str::to_owned);
                image.visibility = *visibility;
                catalog.create(&image).await.unwrap();
                if is_offered {
                    catalog.add_member(image.id, "member").await.unwrap();
                }
                ids.push(image.id);
            }
        }
    }
    ids
}

fn full(name: &str) -> Image {
    let mut image = image(name);
    image.properties = (0..3).map(|i| (format!("p{i}"), i.to_string())).collect();
    image.tags = BTreeSet::from(["a".into(), "b".into()]);
    image
}

/// MySQL takes some of these projects for the same.
fn viewers() -> Vec<Viewer> {
    let projects = ["one", "two", "member", "stranger", "One", "one ", "MEMBER", ""];
    let nobody = Viewer { project: None, is_admin: false };
    let admin = Viewer { is_admin: true, ..of("one") };
    [nobody, admin, Viewer::service()].into_iter().chain(projects.map(of)).collect()
}

/// What can be compared of an answer.
fn told<T>(answer: catalog::Result<T>) -> Result<T, String> {
    answer.map_err(|error| error.to_string())
}

#[tokio::test]
async fn each_viewer_is_shown_what_it_is_shown_alone() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut ids = fill(catalog.as_ref()).await;
    let deleted = ids[0];
    catalog.delete(deleted, &[]).await.unwrap();
    ids.push(ImageId::random());
    let asked: Vec<_> = viewers()
        .into_iter()
        .flat_map(|viewer| ids.iter().map(move |id| (viewer.clone(), *id)))
        .collect();
    let mut alone = Vec::new();
    for (viewer, id) in &asked {
        alone.push(told(catalog.get(viewer, *id).await));
    }
    let seen = alone.iter().filter(|answer| answer.is_ok()).count();
    assert!(seen > 100 && seen < asked.len() - 50, "{seen} of {}", asked.len());
    for turned in 0..4 {
        let mut order: Vec<_> = (0..asked.len()).collect();
        order.rotate_left(turned * 37);
        let together = order.iter().map(|at| catalog.get(&asked[*at].0, asked[*at].1));
        for (at, answer) in order.iter().zip(join_all(together).await) {
            assert_eq!(told(answer), alone[*at], "{:?}", asked[*at]);
        }
    }
}

#[tokio::test]
async fn many_reads_at_once_take_few_statements() {
    if module_path!().contains("registry") {
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = fresh.catalog().await;
    let ids = fill(&catalog).await;
    let viewer = Viewer::service();
    let all =
        async { Ok(join_all(ids.iter().chain(&ids).map(|id| catalog.get(&viewer, *id))).await) };
    // Two alone, and the others at the end of the first one.
    assert_eq!(count(all).await, 3);
    // Of which of them somebody is a member, only the database knows: it is asked at once the second time.
    let member = of("member");
    let found = join_all(ids.iter().map(|id| catalog.get(&member, *id))).await;
    let offered = ids.iter().zip(found).filter(|(_, found)| {
        found
            .as_ref()
            .is_ok_and(|image| image.visibility == Visibility::Shared && image.owner.is_some())
    });
    let offered: Vec<_> = offered.map(|(id, _)| *id).collect();
    assert_eq!(offered.len(), 2);
    let asked = offered.iter().cycle().take(20);
    let all = async { Ok(join_all(asked.map(|id| catalog.get(&member, *id))).await) };
    assert_eq!(count(all).await, 3);
    let page = ListQuery::default();
    let all = async { Ok(join_all((0..20).map(|_| catalog.list(&viewer, &page))).await) };
    assert_eq!(count(all).await, 3);
}

#[tokio::test]
async fn lists_that_are_not_the_same_have_their_own_answers() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    fill(catalog.as_ref()).await;
    let pages = [2, 3, 100].map(|limit| ListQuery { limit, ..ListQuery::default() });
    let named = vec![Filter::Name(vec!["shared".into()])];
    let pages: Vec<_> =
        pages.into_iter().chain([ListQuery { filters: named, ..Default::default() }]).collect();
    let asked: Vec<_> = viewers()
        .into_iter()
        .flat_map(|viewer| pages.iter().map(move |page| (viewer.clone(), page)))
        .collect();
    let mut alone = Vec::new();
    for (viewer, page) in &asked {
        alone.push(told(catalog.list(viewer, page).await));
    }
    let together = asked.iter().cycle().take(3 * asked.len());
    let together = together.map(|(viewer, page)| catalog.list(viewer, page));
    for (at, answer) in join_all(together).await.into_iter().enumerate() {
        assert_eq!(told(answer), alone[at % asked.len()], "{:?}", asked[at % asked.len()]);
    }
    let marker = ListQuery { marker: Some(ImageId::random()), ..ListQuery::default() };
    let refused = join_all((0..10).map(|_| catalog.list(&asked[0].0, &marker))).await;
    assert!(refused.iter().all(|answer| matches!(answer, Err(Error::BadMarker(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_row_that_can_not_be_read_is_in_nobody_elses_way() {
    let Some((fresh, catalog)) = catalog().await else { return };
    let odd = full("odd");
    catalog.create(&odd).await.unwrap();
    fresh.run("UPDATE images SET status = 'asleep'").await;
    let ids = fill(catalog.as_ref()).await;
    let viewers = [Viewer::service(), of("owner"), of("stranger")];
    let asked: Vec<_> = viewers
        .iter()
        .flat_map(|viewer| ids.iter().chain([&odd.id]).map(move |id| (viewer, *id)))
        .collect();
    let answers = join_all(asked.iter().map(|(viewer, id)| catalog.get(viewer, *id))).await;
    for ((viewer, id), answer) in asked.iter().zip(answers) {
        match (*id == odd.id, *viewer == &viewers[2]) {
            (true, false) => assert!(matches!(answer, Err(Error::Corrupt { .. })), "{answer:?}"),
            (true, true) => assert!(matches!(answer, Err(Error::NotFound(_))), "{answer:?}"),
            (false, true) => {
                assert!(matches!(answer, Ok(_) | Err(Error::NotFound(_))), "{answer:?}")
            }
            (false, false) if viewer.is_admin => assert!(answer.is_ok(), "{answer:?}"),
            (false, false) => {}
        }
    }
}

#[tokio::test]
async fn who_is_no_member_any_more_is_shown_nothing() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let ids = fill(catalog.as_ref()).await;
    let member = of("member");
    let all = || join_all(ids.iter().chain(&ids).map(|id| catalog.get(&member, *id)));
    let seen = |answers: Vec<catalog::Result<Image>>| answers.iter().filter(|a| a.is_ok()).count();
    let before = seen(all().await);
    assert_eq!(seen(all().await), before);
    let mut left = 0;
    for id in &ids {
        let image = catalog.get(&Viewer::service(), *id).await.unwrap();
        if catalog.remove_member(*id, "member").await.is_ok()
            && image.visibility == Visibility::Shared
            && image.owner.is_some()
        {
            left += 1;
        }
    }
    assert_eq!(left, 2);
    assert_eq!(seen(all().await), before - 2 * left);
}

/// Readers and writers of the same images, all at once: who has written sees it, in the image and in
/// lists, and never sees anything older again, be it by another service that it was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_wrote_sees_it_among_many_readers() {
    let Some((fresh, catalog)) = catalog().await else { return };
    let other: Arc<dyn Catalog> = Arc::new(fresh.catalog().await);
    let ids = fill(catalog.as_ref()).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..16)
        .map(|i| tokio::spawn(read_on(catalog.clone(), ids.clone(), i, is_over.clone())))
        .collect();
    let writers = ids.iter().zip([&catalog, &other].into_iter().cycle());
    let writers = writers.map(|(id, by)| tokio::spawn(write_on(catalog.clone(), by.clone(), *id)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

async fn write_on(catalog: Arc<dyn Catalog>, by: Arc<dyn Catalog>, id: ImageId) {
    let all = Viewer::service();
    for round in 0..12_u32 {
        let name = format!("round-{round}-{id}");
        let change = ImageChange {
            name: Some(Some(name.clone())),
            min_ram: Some(round),
            properties: [("p0".to_owned(), Some(name.clone()))].into(),
            tags: Some([format!("t{round}")].into()),
            ..ImageChange::default()
        };
        let written = by.update(id, &change).await.unwrap();
        let page = ListQuery {
            filters: vec![Filter::Name(vec![name.clone()]), Filter::Visibility(None)],
            ..ListQuery::default()
        };
        let (image, listed) = tokio::join!(catalog.get(&all, id), catalog.list(&all, &page));
        assert_eq!(image.unwrap(), written);
        assert_eq!(listed.unwrap(), [written]);
    }
}

/// Looks at all images again and again; says how often.
async fn read_on(
    catalog: Arc<dyn Catalog>,
    ids: Vec<ImageId>,
    first: usize,
    is_over: Arc<AtomicBool>,
) -> usize {
    let (mut seen, mut rounds) = (BTreeMap::<ImageId, u32>::new(), 0);
    let viewer = if first.is_multiple_of(2) { Viewer::service() } else { of("one") };
    while !is_over.load(Ordering::Relaxed) {
        for id in ids.iter().cycle().skip(first).take(ids.len()) {
            let Ok(image) = catalog.get(&viewer, *id).await else { continue };
            assert_eq!(image.id, *id);
            assert!(
                viewer.is_admin
                    || image.owner.as_deref() != Some("two")
                    || image.visibility != Visibility::Private
            );
            let before = seen.insert(*id, image.min_ram).unwrap_or_default();
            assert!(image.min_ram >= before, "{id} was at {before} and is at {}", image.min_ram);
        }
        rounds += 1;
    }
    rounds
}

/// Requests whose clients go away, among others who wait for the same.
#[tokio::test]
async fn who_goes_away_takes_no_other_with_it() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let ids = fill(catalog.as_ref()).await;
    let viewer = Viewer::service();
    for times in 0..12 {
        let stays = join_all(ids.iter().map(|id| catalog.get(&viewer, *id)));
        let goes = async {
            let all = join_all(ids.iter().map(|id| catalog.get(&viewer, *id)));
            given_up::woken(times, all).await
        };
        let (_given_up, answers) = tokio::join!(goes, stays);
        for (id, answer) in ids.iter().zip(answers) {
            assert_eq!(answer.unwrap().id, *id);
        }
    }
}

/// As many fail as connections were lost, at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_is_lost_to_one() {
    let Some((fresh, catalog)) = catalog().await else { return };
    if fresh.beside().await.is_none() {
        return;
    }
    let ids = fill(catalog.as_ref()).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..32)
        .map(|_| tokio::spawn(count_failures(catalog.clone(), ids.clone(), is_over.clone())))
        .collect();
    let mut lost = 0;
    // PostgreSQL knows whose connections they are only while they read.
    let enough = async {
        while lost < 8 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            lost += fresh.disconnect().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), enough).await.unwrap();
    is_over.store(true, Ordering::Relaxed);
    let mut failed = 0;
    for reader in readers {
        failed += reader.await.unwrap();
    }
    assert!(failed <= lost, "{failed} requests failed, {lost} connections were lost");
    catalog.get(&Viewer::service(), ids[0]).await.unwrap();
}

async fn count_failures(
    catalog: Arc<dyn Catalog>,
    ids: Vec<ImageId>,
    is_over: Arc<AtomicBool>,
) -> usize {
    let mut failed = 0;
    while !is_over.load(Ordering::Relaxed) {
        for id in &ids {
            match catalog.get(&Viewer::service(), *id).await {
                Ok(image) => assert_eq!(image.id, *id),
                Err(Error::Unavailable(_)) => failed += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    failed
}
