//! What is put is there, byte for byte, and once.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future, stream};
use image::ImageId;
use store::{Error, PIECE, Source};

use super::bytes::{assert_same, pattern, source};
use super::{Opened, Outcome, Subject};
use Outcome::{NotApplicable, Passed};

/// Sizes below which every case is quick.
const LARGEST: u64 = 512 * 1024 * 1024;

/// The length of the huge one, in bytes.
const HUGE: u64 = 5 << 30;

/// Where its bytes are that are no zeros.
const MARKS: [u64; 3] = [0, 3 << 30, HUGE - MARK.len() as u64];
const MARK: &[u8; 8] = b"not zero";

pub(crate) async fn known_length(subject: Subject) -> Outcome {
    sizes(subject, Some).await
}

pub(crate) async fn unknown_length(subject: Subject) -> Outcome {
    sizes(subject, |_| None).await
}

async fn sizes(subject: Subject, hint: impl Fn(u64) -> Option<u64>) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    for size in [2, 511, 4096, 65_537, 3_000_000] {
        opened.round(&pattern(size), hint(size as u64)).await;
    }
    Passed
}

pub(crate) async fn empty(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        let uri = opened.having(b"").await;
        assert_eq!(opened.read(&uri).await.unwrap(), b"");
        return Passed;
    }
    for hint in [None, Some(0)] {
        opened.round(b"", hint).await;
    }
    Passed
}

pub(crate) async fn one_byte(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        let uri = opened.having(b"x").await;
        assert_eq!(opened.read(&uri).await.unwrap(), b"x");
        return Passed;
    }
    for hint in [None, Some(1)] {
        opened.round(b"x", hint).await;
    }
    Passed
}

pub(crate) async fn around_boundaries(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    for boundary in opened.abilities().boundaries {
        assert!(boundary <= LARGEST, "the subject's options are to make it smaller: {boundary}");
        for size in [boundary - 1, boundary, boundary + 1, 2 * boundary, 2 * boundary + 1] {
            let bytes = pattern(usize::try_from(size).unwrap());
            opened.round(&bytes, Some(size)).await;
            opened.round(&bytes, None).await;
        }
    }
    Passed
}

/// A hint that is wrong stores what came, or nothing; never something else.
pub(crate) async fn wrong_hint(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let bytes = pattern(200_000);
    for hint in [1, 199_999, 200_001, 900_000] {
        let (id, before) = (ImageId::random(), opened.subject.held().await);
        match opened.store.put(id, Some(hint), source(bytes.clone())).await {
            Ok(written) => {
                assert_eq!(written.size, 200_000);
                let got = opened.read(&written.uri).await.unwrap();
                assert_same(&got, &bytes, &format!("hint {hint}"));
                opened.store.delete(&written.uri).await.unwrap();
            }
            Err(_) => opened.assert_nothing_of(id, &before).await,
        }
    }
    Passed
}

pub(crate) async fn several_at_once(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let rounds = (0..6).map(async |n| {
        let bytes = pattern(700_000 + n);
        let written = opened.put(&bytes, (n % 2 == 0).then_some(bytes.len() as u64)).await;
        assert_same(&opened.read(&written.uri).await.unwrap(), &bytes, "one of several");
        opened.store.delete(&written.uri).await.unwrap();
    });
    future::join_all(rounds).await;
    Passed
}

/// It says what it is.
pub(crate) async fn abilities(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    assert_eq!(opened.store.kind(), opened.subject.kind);
    let boundaries = opened.abilities().boundaries;
    assert!(boundaries.iter().all(|boundary| *boundary > 1), "{boundaries:?}");
    let schemes = opened.store.schemes();
    assert!(!schemes.is_empty() && schemes.iter().all(|s| *s == s.to_lowercase()), "{schemes:?}");
    let uri = opened.having(b"x").await;
    assert!(schemes.contains(&uri.split_once("://").unwrap().0), "{uri}");
    opened.store.probe().await.unwrap();
    if !opened.writable() {
        let refused = opened.put_failing(ImageId::random(), source(b"x".to_vec())).await;
        assert!(matches!(refused, Error::ReadOnly(_)), "{refused}");
        assert!(matches!(opened.store.delete(&uri).await, Err(Error::ReadOnly(_))));
        return Passed;
    }
    opened.store.delete(&uri).await.unwrap();
    Passed
}

pub(crate) async fn never_overwrites(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let id = ImageId::random();
    let first = opened.store.put(id, Some(5), source(b"first".to_vec())).await.unwrap();
    let second = opened.put_failing(id, source(b"second one".to_vec())).await;
    assert!(matches!(second, Error::Exists(_)), "{second}");
    opened.store.settled().await;
    assert_eq!(opened.read(&first.uri).await.unwrap(), b"first");
    opened.store.delete(&first.uri).await.unwrap();
    Passed
}

/// Two writers of one image, at the same time: whoever is told that it was stored has its bytes
/// there.
pub(crate) async fn two_writers(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let id = ImageId::random();
    let (one, two) = (pattern(400_000), pattern(500_000));
    let (first, second) = tokio::join!(
        opened.store.put(id, Some(400_000), source(one.clone())),
        opened.store.put(id, None, source(two.clone())),
    );
    opened.store.settled().await;
    let kept = match (&first, &second) {
        (Ok(written), Err(_)) => Some((written, &one)),
        (Err(_), Ok(written)) => Some((written, &two)),
        (Ok(_), Ok(_)) => panic!("both were told that theirs is stored"),
        (Err(_), Err(_)) => None,
    };
    if let Some((written, bytes)) = kept {
        assert_same(&opened.read(&written.uri).await.unwrap(), bytes, "the one that was stored");
        opened.store.delete(&written.uri).await.unwrap();
    }
    assert!(!opened.store.discard(id).await.unwrap(), "something stays of the other");
    Passed
}

/// What `tintype store check` does.
pub(crate) async fn checks_itself(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    let before = opened.subject.held().await;
    let checked = store::check(opened.store.as_ref()).await;
    assert!(checked.failed.is_none(), "{checked:?}");
    let steps = if opened.writable() { 4 + usize::from(opened.subject.direct) } else { 1 };
    assert_eq!(checked.done.len(), steps, "{checked:?}");
    assert_eq!(opened.subject.held().await, before, "the probe stays");
    Passed
}

/// Nearly all zeros, and its length not known.
pub(crate) async fn huge(subject: Subject) -> Outcome {
    let opened = Opened::of(subject);
    if !opened.writable() {
        return NotApplicable;
    }
    let written = opened.store.put(ImageId::random(), None, sparse()).await.unwrap();
    assert_eq!(written.size, HUGE);
    assert_eq!(opened.store.size(&written.uri).await.unwrap(), HUGE);
    for mark in MARKS {
        let range = mark..mark + MARK.len() as u64;
        let data = opened.store.open(&written.uri, range).await.unwrap();
        assert_eq!(&*super::bytes::all(data).await.unwrap(), MARK, "at {mark}");
    }
    let mut data = opened.store.open(&written.uri, 0..HUGE).await.unwrap();
    let (mut size, mut others, zeros) = (0, 0, vec![0; PIECE]);
    while let Some(piece) = data.try_next().await.unwrap() {
        size += piece.len() as u64;
        // As memory is compared: byte by byte, a debug build takes minutes.
        if piece != zeros[..piece.len()] {
            others += piece.iter().filter(|byte| **byte != 0).count();
        }
    }
    assert_eq!((size, others), (HUGE, MARKS.len() * MARK.len()));
    opened.store.delete(&written.uri).await.unwrap();
    Passed
}

fn sparse() -> Source {
    const STEP: u64 = 1 << 20;
    let zeros = Bytes::from(vec![0; STEP as usize]);
    let piece = move |start: u64| {
        let mark = MARKS.iter().find(|mark| (start..start + STEP).contains(mark));
        let Some(mark) = mark else { return Ok(zeros.clone()) };
        let mut bytes = zeros.to_vec();
        let at = (mark - start) as usize;
        bytes[at..at + MARK.len()].copy_from_slice(MARK);
        Ok(Bytes::from(bytes))
    };
    stream::iter((0..HUGE / STEP).map(move |n| piece(n * STEP))).boxed()
}
