//! Finding, listing and changing records.

use axum::http::Method;
use client::{Change, Error, ListQuery, NewImage};
use serde_json::{Value, json};

use crate::fake_glance::{Fake, start};

fn id(number: u32) -> String {
    format!("11111111-1111-4111-8111-{number:012}")
}

fn fill(fake: &Fake, names: &[&str]) {
    for (number, name) in (0..).zip(names) {
        fake.add(&id(number), name, Vec::new());
    }
}

#[tokio::test]
async fn an_image_is_found_by_id_then_by_name() {
    let fake = start().await;
    let own_id = id(0);
    // The second is named like the first one's id: the id wins.
    fill(&fake, &["debian", &own_id, "twice", "twice"]);
    let images = fake.images();
    assert_eq!(images.find(&own_id).await.unwrap().title(), "debian");
    assert_eq!(images.find("debian").await.unwrap().id, own_id);
    let error = images.find("twice").await.unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { ids, .. } if *ids == [id(2), id(3)]), "{error:?}");
}

#[tokio::test]
async fn names_that_look_like_paths_lead_nowhere_else() {
    let fake = start().await;
    fill(&fake, &["debian"]);
    let images = fake.images();
    for name in ["", ".", "..", "../v2/images", "a/b?c=d#e", "%2e%2e", "none\u{e9}"] {
        let error = images.find(name).await.unwrap_err();
        assert!(matches!(&error, Error::NoImage(missing) if missing == name), "{name}: {error:?}");
    }
    let known = |path: &str| path.starts_with("/image/v2/images") || path.starts_with("/identity");
    assert!(fake.seen.lock().unwrap().iter().all(|seen| known(&seen.path)));
}

#[tokio::test]
async fn a_list_follows_its_pages_below_another_path() {
    let fake = start().await;
    fill(&fake, &["a", "b", "c", "d", "e"]);
    let mut listing = fake.images().list(&ListQuery::default().sort("name:asc").page_size(2));
    let mut names = Vec::new();
    while let Some(image) = listing.next().await.unwrap() {
        names.extend(image.name);
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert_eq!(fake.seen(Method::GET, "/images").len(), 3);
}

#[tokio::test]
async fn a_list_is_fetched_only_as_far_as_it_is_read() {
    let fake = start().await;
    fill(&fake, &["a", "b", "c"]);
    let mut listing = fake.images().list(&ListQuery::default());
    listing.next().await.unwrap();
    listing.next().await.unwrap();
    assert_eq!(fake.seen(Method::GET, "/images").len(), 1);
}

#[tokio::test]
async fn changes_are_sent_as_one_patch_of_glance_s_media_type() {
    let fake = start().await;
    fill(&fake, &["debian"]);
    let changes = [Change::set("name", "bookworm"), Change::remove("os_distro")];
    fake.images().update(&id(0), &changes).await.unwrap();
    let sent = &fake.seen(Method::PATCH, &id(0))[0];
    assert_eq!(sent.headers["content-type"], "application/openstack-images-v2.1-json-patch");
    let expected = json!([
        {"op": "replace", "path": "/name", "value": "bookworm"},
        {"op": "remove", "path": "/os_distro"},
    ]);
    assert_eq!(serde_json::from_slice::<Value>(&sent.body).unwrap(), expected);
}

#[tokio::test]
async fn tags_and_actions_have_their_paths() {
    let fake = start().await;
    fill(&fake, &["debian"]);
    let images = fake.images();
    images.add_tag(&id(0), "a b/c").await.unwrap();
    images.remove_tag(&id(0), "lts").await.unwrap();
    images.deactivate(&id(0)).await.unwrap();
    images.reactivate(&id(0)).await.unwrap();
    assert_eq!(fake.seen(Method::PUT, "/tags/a%20b%2Fc").len(), 1);
    assert_eq!(fake.seen(Method::DELETE, "/tags/lts").len(), 1);
    assert_eq!(fake.seen(Method::POST, "/actions/deactivate").len(), 1);
    assert_eq!(fake.seen(Method::POST, "/actions/reactivate").len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let fake = start().await;
    let images = fake.images();
    for error in [
        images.show("x").await.unwrap_err(),
        images.delete("x").await.unwrap_err(),
        images.update("x", &[]).await.unwrap_err(),
        images.members("x").await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "there is no image 'x'");
    }
}

#[tokio::test]
async fn a_new_image_is_queued_with_what_was_set() {
    let fake = start().await;
    let new = NewImage::named("x").disk_format("qcow2").set("os_distro", "debian").tag("lts");
    let image = fake.images().create(&new).await.unwrap();
    assert_eq!(image.status, "queued");
    assert_eq!(image.properties().collect::<Vec<_>>(), [("os_distro", "debian")]);
    assert_eq!(image.tags, ["lts"]);
}
