//! Locations under a `metadata_encryption_key`.

use super::*;

const KEYS: [&str; 2] = ["0123456789abcdef", "0123456789abcdef01234567"];

async fn catalog_with(fresh: &Fresh, key: Option<&str>) -> SqlCatalog {
    let mut database = fresh.database();
    database.location_key = key.map(|key| key.parse().unwrap());
    SqlCatalog::connect(&database).await.unwrap()
}

/// An active image with two locations.
async fn active(catalog: &SqlCatalog) -> Image {
    let image = image("x");
    catalog.create(&image).await.unwrap();
    catalog.transition(image.id, Event::BeginUpload).await.unwrap();
    catalog.activate(image.id, &stored()).await.unwrap();
    catalog.add_location(image.id, &second()).await.unwrap()
}

fn second() -> Location {
    Location::new("file:///images/y", Some("other"))
}

fn uris(image: &Image) -> Vec<&str> {
    image.locations.iter().map(|location| location.uri.as_str()).collect()
}

#[tokio::test]
async fn encrypted_locations_are_found_described_and_removed_by_their_urls() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let catalog = catalog_with(&fresh, Some(KEYS[0])).await;
    let image = active(&catalog).await;
    assert_eq!(image.locations, [stored().location, second()]);
    let again = catalog.add_location(image.id, &second()).await;
    assert!(matches!(again, Err(Error::DuplicateLocation { .. })), "{again:?}");
    let moved = Location::new(second().uri, Some("far"));
    catalog.describe_location(image.id, &second(), &moved).await.unwrap();
    let left = catalog.remove_location(image.id, &moved, &Removal::Now(None)).await.unwrap();
    assert_eq!(left.locations, [stored().location]);
    assert_eq!(catalog.delete(image.id, &[]).await.unwrap(), [stored().location]);
}

#[tokio::test]
async fn rows_hold_no_url_and_rows_in_plain_stay_readable() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let plain = catalog_with(&fresh, None).await;
    let sealing = catalog_with(&fresh, Some(KEYS[0])).await;
    let sealed = active(&sealing).await;
    let raw = plain.get(&Viewer::service(), sealed.id).await.unwrap();
    assert!(raw.locations.iter().all(|location| !location.uri.contains(':')), "{raw:?}");
    let image = active(&plain).await;
    assert_eq!(sealing.get(&Viewer::service(), image.id).await.unwrap(), image);
}

#[tokio::test]
async fn with_another_key_images_are_listed_and_nothing_of_them_is_deleted() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let right = catalog_with(&fresh, Some(KEYS[0])).await;
    let image = active(&right).await;
    for key in [None, Some(KEYS[1])] {
        let wrong = catalog_with(&fresh, key).await;
        assert_eq!(names(&wrong, &Viewer::service(), ListQuery::default()).await, ["x"]);
        let unread = wrong.get(&Viewer::service(), image.id).await.unwrap();
        assert_ne!(uris(&unread), uris(&image));
        let refused = wrong.delete(image.id, &[]).await;
        assert!(matches!(refused, Err(Error::SealedLocation(_))), "{refused:?}");
        let refused =
            wrong.remove_location(image.id, &unread.locations[0], &Removal::Now(None)).await;
        assert!(matches!(refused, Err(Error::SealedLocation(_))), "{refused:?}");
    }
    assert_eq!(uris(&right.get(&Viewer::service(), image.id).await.unwrap()), uris(&image));
}

#[tokio::test]
async fn a_scrub_with_another_key_waits_for_the_right_one() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let right = catalog_with(&fresh, Some(KEYS[0])).await;
    let image = active(&right).await;
    right.transition(image.id, Event::DeleteLater).await.unwrap();
    let wrong = catalog_with(&fresh, Some(KEYS[1])).await;
    let refused = wrong.begin_scrub(image.id).await;
    assert!(matches!(refused, Err(Error::SealedLocation(_))), "{refused:?}");
    assert_eq!(right.begin_scrub(image.id).await.unwrap(), [stored().location, second()]);
}
