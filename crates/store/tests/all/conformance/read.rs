//! What is read is what was asked for.

use futures::future;
use image::ImageId;
use store::Error;

use super::bytes::{all, assert_same, pattern};
use super::{Opened, Outcome, Subject};
use Outcome::{NotApplicable, Passed};

pub(crate) async fn ranges(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    let largest = opened.abilities().boundaries.into_iter().max().unwrap_or(1);
    let size = 2 * largest.min(64 << 20) + 1000;
    let bytes = pattern(size as usize);
    let uri = opened.having(&bytes).await;
    let mut ranges = vec![0..0, 0..1, 0..size, size - 1..size, size..size, 10..11, 500..70_000];
    for edge in opened.abilities().boundaries.into_iter().filter(|edge| *edge + 5 < size) {
        ranges.extend([edge - 1..edge + 1, edge..edge + 5, edge - 1..edge, 3..edge, edge..size]);
    }
    for range in ranges {
        let data = opened.store.open(&uri, range.clone()).await.unwrap();
        let expected = &bytes[range.start as usize..range.end as usize];
        assert_same(&all(data).await.unwrap(), expected, &format!("{range:?} of {size}"));
    }
    tidy(&opened, &uri).await
}

pub(crate) async fn size(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    for size in [0, 1, 1000, 1_000_000] {
        let uri = opened.having(&pattern(size)).await;
        assert_eq!(opened.store.size(&uri).await.unwrap(), size as u64);
        tidy(&opened, &uri).await;
    }
    Passed
}

pub(crate) async fn missing(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    let uri = opened.having(b"x").await;
    let last = uri.rfind(|c: char| c.is_ascii_hexdigit()).unwrap();
    // Another digit: a location that looks like one of the store, where nothing is.
    let other = if uri.as_bytes()[last] == b'0' { "1" } else { "0" };
    let mut absent = uri.clone();
    absent.replace_range(last..=last, other);
    if opened.writable() {
        // Where more than the last digit tells images from each other, this is one of them.
        let id = ImageId::random().to_string();
        let own = opened.subject_id(&uri);
        absent = own.map_or(absent, |own| uri.replace(&own, &id));
    }
    for error in [
        opened.store.size(&absent).await.err(),
        match opened.store.open(&absent, 0..1).await {
            Ok(data) => all(data).await.err(),
            Err(error) => Some(error),
        },
    ] {
        let error = error.expect("nothing is there");
        assert!(matches!(error, Error::NotFound(_)), "{error}");
    }
    tidy(&opened, &uri).await
}

/// Locations of other kinds, and texts that are none.
pub(crate) async fn from_elsewhere(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    for uri in ["", "x", "nothing://x/y", "gopher://127.0.0.1/x", "://", "file:///etc/passwd"] {
        assert!(!opened.store.holds(uri), "{uri}");
        let error = opened.store.open(uri, 0..1).await.err().expect(uri);
        assert!(matches!(error, Error::BadLocation(_)), "{uri}: {error}");
        assert!(opened.store.size(uri).await.is_err(), "{uri}");
        assert!(opened.store.delete(uri).await.is_err(), "{uri}");
    }
    for scheme in opened.store.schemes() {
        for rest in ["", "/", "//", "///", "%", "a", "a/../../b", "?", "#", "\u{e4}\u{1f980}"] {
            let uri = format!("{scheme}://{rest}");
            assert!(opened.store.open(&uri, 0..1).await.is_err(), "{uri}");
        }
    }
    Passed
}

pub(crate) async fn several_readers(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    let bytes = pattern(3_000_000);
    let uri = opened.having(&bytes).await;
    let reads = (0..8).map(async |_| {
        assert_same(&opened.read(&uri).await.unwrap(), &bytes, "one of several readers");
    });
    future::join_all(reads).await;
    tidy(&opened, &uri).await
}

/// By a URL that a client is sent to, without credentials: whole, and in part.
pub(crate) async fn directly(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.subject.direct {
        let uri = opened.having(b"x").await;
        assert_eq!(opened.store.direct(&uri).await.unwrap(), None);
        tidy(&opened, &uri).await;
        return NotApplicable;
    }
    let largest = opened.abilities().boundaries.into_iter().max().unwrap_or(1) as usize;
    for size in [0, 1, 1000, 4 * largest + 1000] {
        let bytes = pattern(size);
        let uri = opened.having(&bytes).await;
        let direct = opened.store.direct(&uri).await.unwrap().unwrap();
        assert_eq!(direct.size, size as u64);
        let get = || reqwest::Client::new().get(direct.url.expose());
        let whole = get().send().await.unwrap();
        assert_eq!(whole.status(), 200, "{size}");
        assert_same(&whole.bytes().await.unwrap(), &bytes, &format!("{size} bytes"));
        if size > largest {
            let (first, last) = (largest - 10, 2 * largest + 10);
            let part = get().header("range", format!("bytes={first}-{last}")).send().await.unwrap();
            assert_eq!(part.status(), 206);
            assert_same(&part.bytes().await.unwrap(), &bytes[first..=last], "a part");
        }
        tidy(&opened, &uri).await;
        // What is no more is told, as by a reader.
        let gone = opened.store.direct(&uri).await.unwrap_err();
        assert!(matches!(gone, Error::NotFound(_)), "{gone}");
    }
    Passed
}

async fn tidy(opened: &Opened, uri: &str) -> Outcome {
    if opened.writable() {
        opened.store.delete(uri).await.unwrap();
    }
    Passed
}

impl Opened {
    /// The image's id in a location, where it has one: folders and buckets come before it.
    fn subject_id(&self, uri: &str) -> Option<String> {
        let ends = (36..=uri.len()).filter(|end| uri.is_char_boundary(*end));
        let mut texts = ends.filter_map(|end| uri.get(end - 36..end));
        texts.rfind(|text| text.parse::<ImageId>().is_ok()).map(str::to_owned)
    }
}
