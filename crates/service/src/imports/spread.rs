//! One source, several stores: the bytes are read once and written everywhere at once; the slowest
//! store sets the pace.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, future, stream};
use image::ImageId;
use store::{Source, SourceError, Store, Written};
use thiserror::Error;
use tokio::sync::mpsc;

/// Pieces that wait for a store, at most.
const AHEAD: usize = 2;

/// A store, by its name.
pub(super) type Target = (String, Arc<dyn Store>);

/// What becomes of the others when a store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// All are given up.
    AllOrNone,
    /// They go on.
    AsManyAsCan,
}

/// What came of writing.
#[derive(Debug, Default)]
pub(super) struct Spread {
    pub(super) written: Vec<(String, Written)>,
    pub(super) failed: Vec<(String, store::Error)>,
}

#[derive(Debug, Error)]
#[error("another store failed")]
struct GivenUp;

#[derive(Debug, Error)]
#[error("the source failed")]
struct SourceFailed;

type Queue = mpsc::Sender<Result<Bytes, SourceError>>;

/// Writes a source into all of these stores. Errors: the source's own; nothing is stored then.
pub(super) async fn spread(
    id: ImageId,
    hint: Option<u64>,
    source: Source,
    targets: &[Target],
    rule: Rule,
) -> Result<Spread, SourceError> {
    let (queues, puts): (Vec<_>, Vec<_>) = targets
        .iter()
        .map(|(name, store)| {
            let (queue, pieces) = mpsc::channel(AHEAD);
            let pieces = stream::unfold(pieces, |mut pieces| async {
                pieces.recv().await.map(|piece| (piece, pieces))
            });
            (Some(queue), put(name, store, id, hint, pieces.boxed()))
        })
        .unzip();
    let (fed, ended) = tokio::join!(feed(source, queues, rule), future::join_all(puts));
    let mut spread = Spread::default();
    for (name, ended) in ended {
        match ended {
            Ok(written) => spread.written.push((name, written)),
            Err(error) => spread.failed.push((name, error)),
        }
    }
    fed.map(|()| spread)
}

async fn put(
    name: &str,
    store: &Arc<dyn Store>,
    id: ImageId,
    hint: Option<u64>,
    source: Source,
) -> (String, store::Result<Written>) {
    (name.to_owned(), store.put(id, hint, source).await)
}

/// Hands each piece to every store that still takes some.
async fn feed(
    mut source: Source,
    mut queues: Vec<Option<Queue>>,
    rule: Rule,
) -> Result<(), SourceError> {
    while let Some(piece) = source.next().await {
        match piece {
            Ok(piece) => {
                hand_out(&mut queues, &piece).await;
                let lost = queues.iter().filter(|queue| queue.is_none()).count();
                if lost == queues.len() {
                    return Ok(());
                }
                if lost > 0 && rule == Rule::AllOrNone {
                    end_all(&queues, || GivenUp.into()).await;
                    return Ok(());
                }
            }
            Err(why) => {
                end_all(&queues, || SourceFailed.into()).await;
                return Err(why);
            }
        }
    }
    Ok(())
}

async fn hand_out(queues: &mut [Option<Queue>], piece: &Bytes) {
    let sends = queues.iter_mut().map(|place| async move {
        if let Some(queue) = place.as_ref()
            && queue.send(Ok(piece.clone())).await.is_err()
        {
            *place = None;
        }
    });
    future::join_all(sends).await;
}

/// Nothing is stored of a source that fails.
async fn end_all(queues: &[Option<Queue>], why: impl Fn() -> SourceError) {
    for queue in queues.iter().flatten() {
        // A store that is gone has failed already.
        let _ = queue.send(Err(why())).await;
    }
}

#[cfg(test)]
mod tests {
    use store::FileStore;
    use tempfile::TempDir;

    use super::*;

    fn targets(dir: &TempDir, names: &[&str]) -> Vec<Target> {
        let open = |name: &&str| {
            let store: Arc<dyn Store> = Arc::new(FileStore::open(&dir.path().join(name)).unwrap());
            ((*name).to_owned(), store)
        };
        names.iter().map(open).collect()
    }

    fn source(pieces: Vec<Result<&'static [u8], &'static str>>) -> Source {
        let pieces = pieces.into_iter();
        stream::iter(pieces.map(|piece| piece.map(Bytes::from_static).map_err(Into::into))).boxed()
    }

    fn files(dir: &TempDir, name: &str) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(dir.path().join(name)).unwrap();
        entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[tokio::test]
    async fn every_store_gets_all_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let targets = targets(&dir, &["a", "b", "c"]);
        let source = source(vec![Ok(b"one "), Ok(b"two")]);
        let id = ImageId::random();
        let done = spread(id, None, source, &targets, Rule::AllOrNone).await.unwrap();
        assert_eq!((done.written.len(), done.failed.len()), (3, 0));
        for name in ["a", "b", "c"] {
            assert_eq!(files(&dir, name), [b"one two"]);
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_leaves_nothing_anywhere() {
        let dir = tempfile::tempdir().unwrap();
        let targets = targets(&dir, &["a", "b"]);
        let source = source(vec![Ok(b"one"), Err("gone")]);
        let id = ImageId::random();
        let error = spread(id, None, source, &targets, Rule::AsManyAsCan).await.unwrap_err();
        assert_eq!(error.to_string(), "gone");
        assert!(files(&dir, "a").is_empty() && files(&dir, "b").is_empty());
    }

    #[tokio::test]
    async fn a_store_that_fails_takes_the_others_along_only_where_all_must_succeed() {
        let dir = tempfile::tempdir().unwrap();
        let targets = targets(&dir, &["a", "b"]);
        let id = ImageId::random();
        std::fs::write(dir.path().join("b").join(id.to_string()), "in the way").unwrap();
        let source = || source(vec![Ok(b"one"), Ok(b"two")]);
        let done = spread(id, None, source(), &targets, Rule::AsManyAsCan).await.unwrap();
        assert_eq!((done.written.len(), done.failed.len()), (1, 1));
        assert_eq!(files(&dir, "b"), [b"in the way"]);
    }
}
