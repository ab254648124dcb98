//! Downloads of what is large: by stretches, in ranges, each held to the sum that Swift has of it.

use std::ops::Range;
use std::sync::LazyLock;

use futures::TryStreamExt;
use jiff::SignedDuration;
use openssl::hash::{MessageDigest, hash};
use serde_json::json;

use super::*;
use crate::Result;
use crate::remote::hex;
use crate::swift::stretches::STEP;
use crate::testing::{Request, keystone};

const MIB: usize = 1 << 20;
const SIZE: usize = 20 * MIB;
/// The first segment takes two requests.
const FIRST: usize = 17 * MIB;

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| (0..SIZE).map(|n| (n / 1000) as u8).collect());

/// How the image lies at the server.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Segments,
    /// What is listed of the segment is the sum of other bytes, as is its tag.
    Damaged(usize),
    /// A segment is another when it is read.
    Replaced,
    /// The listing lacks a segment.
    Late,
    /// Segments may not be listed.
    Hidden,
    /// A segment has segments of its own.
    Nested,
    /// The manifest lists its segments itself.
    Static,
    Whole,
    /// The object's tag is no sum.
    Sumless,
}

fn sum(bytes: &[u8]) -> String {
    let sum = hash(MessageDigest::md5(), bytes).unwrap();
    hex(&sum)
}

impl Kept {
    fn segments() -> [&'static [u8]; 2] {
        let (first, second) = IMAGE.split_at(FIRST);
        [first, second]
    }

    fn sum(self, segment: usize) -> String {
        match self {
            Self::Damaged(damaged) if damaged == segment => sum(b"what it was"),
            _ => sum(Self::segments()[segment]),
        }
    }

    fn listing(self) -> Reply {
        if self == Self::Hidden {
            return Reply::of(403, b"");
        }
        let listed = (0..2).map(|number| {
            let mut listed = json!({
                "name": format!("x-0000{}", number + 1),
                "bytes": Self::segments()[number].len(),
                "hash": self.sum(number),
            });
            if self == Self::Nested {
                listed["slo_etag"] = json!("\"tag\"");
            }
            listed
        });
        Reply::json(200, &listed.take(if self == Self::Late { 1 } else { 2 }).collect())
    }

    fn image(self, request: &Request) -> Reply {
        let reply = ranged(request, &IMAGE);
        match self {
            Self::Whole => reply.with("Etag", &sum(&IMAGE)),
            Self::Sumless => reply.with("Etag", &format!("{}-2", sum(&IMAGE))),
            Self::Static => reply.with("X-Static-Large-Object", "True").with("Etag", "\"tag\""),
            _ => reply.with("X-Object-Manifest", "glance/x-").with("Etag", "\"tag\""),
        }
    }

    fn segment(self, request: &Request, number: usize) -> Reply {
        let tag = if self == Self::Replaced { sum(b"another") } else { self.sum(number) };
        ranged(request, Self::segments()[number]).with("Etag", &tag)
    }

    fn server(self) -> Peer {
        let endpoints = &[("object-store", "public", "one", "/v1/a")];
        Peer::new(move |request| {
            let granted = keystone::log_in(request, SignedDuration::from_hours(1), endpoints);
            granted.unwrap_or_else(|| match request.path.as_str() {
                "/v1/a/glance/x" => self.image(request),
                "/v1/a/glance/x-00001" => self.segment(request, 0),
                "/v1/a/glance/x-00002" => self.segment(request, 1),
                path if path.ends_with("marker=") => self.listing(),
                _ => Reply::json(200, &json!([])),
            })
        })
    }
}

/// What `Range` asks for of these bytes, or all of them.
fn ranged(request: &Request, bytes: &[u8]) -> Reply {
    let Some(range) = asked(request) else { return Reply::of(200, bytes) };
    Reply::of(206, &bytes[range])
}

fn asked(request: &Request) -> Option<Range<usize>> {
    let (first, last) = request.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
    Some(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1)
}

/// What came before the download's end, and how that was.
async fn read(server: &Peer, range: Range<usize>) -> (Vec<u8>, Result<()>) {
    let options = format!(
        "swift_store_auth_address = {}/v3\nswift_store_user = service:swift\n\
         swift_store_key = pw",
        server.url()
    );
    let store = store(&options).unwrap();
    let range = range.start as u64..range.end as u64;
    let mut data = match store.open("swift+config://ref1/glance/x", range).await {
        Ok(data) => data,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut came = Vec::new();
    loop {
        match data.try_next().await {
            Ok(Some(piece)) => came.extend(piece),
            Ok(None) => return (came, Ok(())),
            Err(error) => return (came, Err(error)),
        }
    }
}

/// How many requests for bytes there were, of the image and of its segments.
fn requests(server: &Peer) -> (usize, usize) {
    let asked = |path: &str| server.asked(path).len();
    let segments = asked("GET /v1/a/glance/x-");
    (asked("GET /v1/a/glance/x") - segments, segments)
}

#[tokio::test]
async fn what_is_large_is_read_by_stretches() {
    for (kept, range, expected) in [
        (Kept::Segments, 0..SIZE, (0, 3)),
        (Kept::Segments, 5..SIZE - 5, (0, 3)),
        (Kept::Segments, FIRST - 1..SIZE, (1, 0)),
        (Kept::Segments, MIB..FIRST + MIB, (0, 2)),
        (Kept::Whole, 0..SIZE, (2, 0)),
        (Kept::Whole, 1..MIB, (1, 0)),
    ] {
        let server = kept.server();
        let (came, end) = read(&server, range.clone()).await;
        end.unwrap();
        assert!(came == IMAGE[range.clone()], "{range:?}");
        assert_eq!(requests(&server), expected, "{range:?}");
        let gets = server.asked("GET /v1/a/glance/x");
        assert!(gets.iter().all(|get| asked(get).is_some_and(|range| range.len() as u64 <= STEP)));
    }
}

#[tokio::test]
async fn what_has_no_sums_is_read_at_once() {
    for kept in [Kept::Late, Kept::Hidden, Kept::Nested, Kept::Static, Kept::Sumless] {
        let server = kept.server();
        let (came, end) = read(&server, 0..SIZE).await;
        end.unwrap();
        assert!(came == *IMAGE);
        assert_eq!(requests(&server), (1, 0));
    }
}

/// Each segment's last bytes are held back; what was not read from its beginning on, nobody knows.
#[tokio::test]
async fn what_is_damaged_is_not_handed_out_whole() {
    for (damaged, range, intact) in [(0, 0..SIZE, 0), (1, 0..SIZE, FIRST), (1, 1..SIZE, FIRST - 1)]
    {
        let (came, end) = read(&Kept::Damaged(damaged).server(), range.clone()).await;
        let error = end.unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
        let whole = if damaged == 0 { FIRST } else { SIZE - range.start };
        assert!(came.len() >= intact && came.len() < whole, "{}", came.len());
    }
    let (came, end) = read(&Kept::Damaged(0).server(), 1..SIZE).await;
    end.unwrap();
    assert_eq!(came.len(), SIZE - 1);
}

#[tokio::test]
async fn a_segment_that_is_another_is_not_read() {
    let (came, end) = read(&Kept::Replaced.server(), 0..SIZE).await;
    let error = end.unwrap_err().to_string();
    assert!(came.is_empty() && error.contains("replaced"), "{error}");
}
