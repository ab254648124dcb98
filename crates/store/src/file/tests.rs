use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};

use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;

use super::partial::Partial;
use super::*;

fn store() -> (TempDir, FileStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(&dir.path().join("images")).unwrap();
    (dir, store)
}

fn source(pieces: Vec<Result<Vec<u8>, &'static str>>) -> Source {
    stream::iter(pieces.into_iter().map(|piece| match piece {
        Ok(bytes) => Ok(bytes::Bytes::from(bytes)),
        Err(why) => Err(why.into()),
    }))
    .boxed()
}

async fn read_all(store: &FileStore, uri: &str, range: Range<u64>) -> Vec<u8> {
    let data = store.open(uri, range).await.unwrap();
    data.try_fold(Vec::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    })
    .await
    .unwrap()
}

/// Stores so many pieces and a little more, of bytes that tell where they belong; returns where.
async fn numbered(store: &FileStore, pieces: usize) -> (String, Vec<u8>) {
    let bytes: Vec<u8> = (0..pieces * crate::PIECE + 7).map(|i| (i % 251) as u8).collect();
    let written = store.put(ImageId::random(), None, source(vec![Ok(bytes.clone())])).await;
    (written.unwrap().uri, bytes)
}

fn files(store: &FileStore) -> Vec<String> {
    store.directories[0].names().unwrap()
}

#[tokio::test]
async fn bytes_come_back_as_they_were_put() {
    let (_dir, store) = store();
    for size in [0, 1, crate::PIECE - 1, crate::PIECE, crate::PIECE + 1, 3 * crate::PIECE + 7] {
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let pieces = bytes.chunks(100_000).map(|piece| Ok(piece.to_vec())).collect();
        let written = store.put(ImageId::random(), None, source(pieces)).await.unwrap();
        assert_eq!(written.size, size as u64);
        assert_eq!(store.size(&written.uri).await.unwrap(), size as u64);
        assert_eq!(read_all(&store, &written.uri, 0..size as u64).await, bytes);
    }
}

#[tokio::test]
async fn a_range_is_only_that_range() {
    let (_dir, store) = store();
    let written =
        store.put(ImageId::random(), None, source(vec![Ok(b"0123456789".to_vec())])).await.unwrap();
    assert_eq!(read_all(&store, &written.uri, 3..7).await, b"3456");
    assert_eq!(read_all(&store, &written.uri, 10..10).await, b"");
}

#[tokio::test]
async fn a_source_that_fails_leaves_nothing() {
    let (_dir, store) = store();
    let failing = source(vec![Ok(vec![1; 4096]), Err("connection reset")]);
    let error = store.put(ImageId::random(), None, failing).await.unwrap_err();
    assert!(matches!(error, Error::Source(_)), "{error}");
    assert!(files(&store).is_empty());
}

#[tokio::test]
async fn what_is_there_is_never_overwritten() {
    let (_dir, store) = store();
    let id = ImageId::random();
    let first = store.put(id, None, source(vec![Ok(b"first".to_vec())])).await.unwrap();
    let error = store.put(id, None, source(vec![Ok(b"second".to_vec())])).await.unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error}");
    assert_eq!(read_all(&store, &first.uri, 0..5).await, b"first");
}

#[tokio::test]
async fn a_reader_keeps_its_bytes_through_a_delete() {
    let (_dir, store) = store();
    let bytes = vec![7; 8 * crate::PIECE];
    let size = bytes.len() as u64;
    let written = store.put(ImageId::random(), None, source(vec![Ok(bytes)])).await.unwrap();
    let data = store.open(&written.uri, 0..size).await.unwrap();
    store.delete(&written.uri).await.unwrap();
    let read: usize = data
        .map_ok(|piece| piece.len())
        .try_fold(0, |a, b| async move { Ok(a + b) })
        .await
        .unwrap();
    assert_eq!(read as u64, size);
    assert!(matches!(store.delete(&written.uri).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn locations_elsewhere_are_refused() {
    let (dir, store) = store();
    std::fs::write(dir.path().join("secret"), "s").unwrap();
    let root = store.directories[0].path.display().to_string();
    std::os::unix::fs::symlink("/etc/passwd", store.directories[0].path.join("link")).unwrap();
    let elsewhere = ["file:///etc/passwd", "http://x/y", "", "file://secret"];
    let inside = [format!("file://{root}/../secret"), format!("file://{root}/a/b")];
    for uri in elsewhere.iter().map(|s| s.to_string()).chain(inside) {
        let error = store.open(&uri, 0..1).await.err().expect(&uri);
        assert!(matches!(error, Error::BadLocation(_)), "{uri}: {error}");
    }
    let error = store.open(&format!("file://{root}/link"), 0..1).await.err().unwrap();
    assert!(error.to_string().contains("link is a symbolic link"), "{error}");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

/// Whoever named the directory by a symlink, or reads what Glance wrote under its real name.
#[tokio::test]
async fn a_directory_is_known_by_both_of_its_names() {
    let (dir, real) = store();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(real.path(), &link).unwrap();
    let linked = FileStore::open(&link).unwrap();
    let written = linked.put(ImageId::random(), None, source(vec![Ok(b"x".to_vec())])).await;
    let uri = written.unwrap().uri;
    assert!(uri.starts_with(&format!("file://{}/", link.display())), "{uri}");
    let name = uri.rsplit('/').next().unwrap();
    for uri in [uri.clone(), format!("filesystem://{}/{name}", real.directories[0].real.display())]
    {
        assert!(linked.holds(&uri), "{uri}");
        assert_eq!(read_all(&linked, &uri, 0..1).await, b"x");
    }
    assert!(!linked.holds(&format!("file:///elsewhere/{name}")));
}

#[tokio::test]
async fn named_partials_of_dead_processes_are_swept() {
    let (_dir, store) = store();
    let held = partial::Partial::create_named(&store.directories[0]).unwrap();
    std::fs::write(store.directories[0].path.join(".partial-left-by-a-crash"), "x").unwrap();
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert_eq!(files(&store).len(), 1, "the one that is held stays");
    held.publish("whole").unwrap().keep();
    assert_eq!(files(&store), ["whole"]);
}

#[tokio::test]
async fn a_dropped_put_leaves_nothing() {
    let (_dir, store) = store();
    let endless = stream::repeat_with(|| Ok(bytes::Bytes::from_static(&[0; 1024])));
    let pending = endless.take(10).chain(stream::pending()).boxed();
    let putting = store.put(ImageId::random(), None, pending);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), putting).await.is_err());
    assert!(files(&store).is_empty());
}

/// What the page cache lacks, and what it has, in one file.
#[tokio::test]
async fn bytes_come_from_the_disk_and_from_the_page_cache() {
    let (_dir, store) = store();
    let (uri, bytes) = numbered(&store, 9).await;
    let size = bytes.len() as u64;
    let file = store.file(&uri).await.unwrap().unwrap();
    for read_before in [0, 3 * crate::PIECE, 7 * crate::PIECE] {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        file.read_exact_at(&mut vec![0; read_before], 0).unwrap();
        assert_eq!(read_all(&store, &uri, 0..size).await, bytes);
        assert_eq!(read_all(&store, &uri, 5..size - 5).await, bytes[5..bytes.len() - 5]);
    }
}

/// From the page cache and from the disk.
#[tokio::test]
async fn a_piece_that_is_held_stays_what_it_is() {
    let (_dir, store) = store();
    let (uri, bytes) = numbered(&store, 9).await;
    let file = store.file(&uri).await.unwrap().unwrap();
    for forget in [false, true] {
        if forget {
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
        let data = store.open(&uri, 0..bytes.len() as u64).await.unwrap();
        let held: Vec<_> = data.try_collect().await.unwrap();
        assert_eq!(held.concat(), bytes, "forgotten: {forget}");
    }
}

#[tokio::test]
async fn a_piece_that_was_let_go_of_lends_its_memory_to_the_next() {
    let (_dir, store) = store();
    let (uri, bytes) = numbered(&store, 3).await;
    let mut data = store.open(&uri, 0..bytes.len() as u64).await.unwrap();
    let first = data.next().await.unwrap().unwrap();
    let (at, length) = (first.as_ptr(), first.len());
    drop(first);
    // What the allocator had free of that size is taken.
    let others: Vec<_> = (0..4).map(|_| vec![1_u8; length]).collect();
    let second = data.next().await.unwrap().unwrap();
    assert_eq!(second.as_ptr(), at);
    assert_eq!(second, bytes[length..2 * length]);
    drop(others);
}

#[tokio::test]
async fn who_reads_from_the_page_cache_lets_others_have_their_turn() {
    let (_dir, store) = store();
    let (uri, bytes) = numbered(&store, 9).await;
    let mut data = store.open(&uri, 0..bytes.len() as u64).await.unwrap();
    data.next().await.unwrap().unwrap();
    let other = tokio::spawn(async {});
    while let Some(piece) = data.next().await {
        piece.unwrap();
    }
    assert!(other.is_finished());
}

#[tokio::test]
async fn holes_are_zeros() {
    let (_dir, store) = store();
    let path = store.path().join(ImageId::random().to_string());
    let file = File::create(&path).unwrap();
    file.write_all_at(b"one", 3 << 20).unwrap();
    file.set_len(5 << 20).unwrap();
    let mut bytes = vec![0; 5 << 20];
    bytes[3 << 20..(3 << 20) + 3].copy_from_slice(b"one");
    let uri = format!("file://{}", path.display());
    assert_eq!(read_all(&store, &uri, 0..5 << 20).await, bytes);
}

#[tokio::test]
async fn a_file_that_is_too_short_is_not_opened() {
    let (_dir, store) = store();
    let written = store.put(ImageId::random(), None, source(vec![Ok(vec![1; 10])])).await.unwrap();
    let error = store.open(&written.uri, 0..11).await.err().expect("an error");
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_becomes_shorter_gives_an_error() {
    let (_dir, store) = store();
    let bytes = vec![1; 8 * crate::PIECE];
    let size = bytes.len() as u64;
    let written = store.put(ImageId::random(), None, source(vec![Ok(bytes)])).await.unwrap();
    let mut data = store.open(&written.uri, 0..size).await.unwrap();
    let name = written.uri.rsplit('/').next().unwrap();
    let file = File::options().write(true).open(store.path().join(name)).unwrap();
    file.set_len(5 * crate::PIECE as u64 + 3).unwrap();
    let mut read = 0;
    let ended = loop {
        match data.next().await {
            Some(Ok(piece)) => read += piece.len(),
            ended => break ended,
        }
    };
    assert!(matches!(ended, Some(Err(Error::Io { .. }))), "after {read} bytes");
    assert!(read <= 5 * crate::PIECE + 3);
}

/// As many as there are threads that may block, or more: nobody who is quicker waits for them.
#[test]
fn slow_clients_keep_no_threads() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (_dir, store) = store();
        let bytes = vec![7; 8 * crate::PIECE];
        let size = bytes.len() as u64;
        let first = store.put(ImageId::random(), None, source(vec![Ok(bytes)])).await.unwrap();
        let mut slow_readers = Vec::new();
        let mut slow_writers = Vec::new();
        for _ in 0..8 {
            let mut data = store.open(&first.uri, 0..size).await.unwrap();
            data.next().await.unwrap().unwrap();
            slow_readers.push(data);
            let stalled = source(vec![Ok(vec![1; 10])]).chain(stream::pending()).boxed();
            slow_writers.push(store.put(ImageId::random(), None, stalled));
        }
        let quick = async {
            let quick = source(vec![Ok(b"quick".to_vec())]);
            let written = store.put(ImageId::random(), None, quick).await.unwrap();
            assert_eq!(read_all(&store, &written.uri, 0..5).await, b"quick");
        };
        let slow = futures::future::join_all(slow_writers);
        tokio::select! {
            () = quick => {}
            _ = slow => panic!("they never end"),
            () = tokio::time::sleep(std::time::Duration::from_secs(10)) => panic!("no thread free"),
        }
        drop(slow_readers);
    });
}

#[tokio::test]
async fn a_file_of_another_directory_is_copied_with_its_holes() {
    let (_dir, from) = store();
    let (_other, to) = store();
    // Data, a hole, data, and a hole at the end.
    let mut bytes = vec![0; 20 << 20];
    bytes[..3].copy_from_slice(b"one");
    bytes[10 << 20..(10 << 20) + 3].copy_from_slice(b"two");
    let id = ImageId::random();
    let path = from.path().join(id.to_string());
    let file = File::create(&path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.write_all_at(b"one", 0).unwrap();
    file.write_all_at(b"two", 10 << 20).unwrap();
    let uri = format!("file://{}", path.display());

    let copied = to.copy(id, Original { store: &from, uri: &uri }).await.unwrap().unwrap();
    assert_eq!(copied.size, bytes.len() as u64);
    assert_eq!(read_all(&to, &copied.uri, 0..copied.size).await, bytes);
    let taken = std::fs::metadata(to.path().join(id.to_string())).unwrap().blocks() * 512;
    assert!(taken < 1 << 20, "{taken} bytes are taken");
}

#[test]
fn what_is_published_for_nobody_loses_its_name() {
    let (_dir, store) = store();
    let make = [partial::Partial::create, partial::Partial::create_named];
    for (create, name) in make.into_iter().zip(["nameless", "named"]) {
        let publish = || create(&store.directories[0]).unwrap().publish(name).unwrap();
        drop(publish());
        assert!(files(&store).is_empty());
        publish().keep();
        assert_eq!(files(&store), [name]);
        std::fs::remove_file(store.path().join(name)).unwrap();
        let late = publish();
        std::fs::write(store.path().join("other"), "another's").unwrap();
        std::fs::rename(store.path().join("other"), store.path().join(name)).unwrap();
        drop(late);
        assert_eq!(files(&store), [name], "it is another's");
        std::fs::remove_file(store.path().join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_copy_replaces_nothing() {
    let (_dir, from) = store();
    let (_other, to) = store();
    let id = ImageId::random();
    let original = from.put(id, None, source(vec![Ok(b"original".to_vec())])).await.unwrap();
    let there = to.put(id, None, source(vec![Ok(b"there".to_vec())])).await.unwrap();
    let error = to.copy(id, Original { store: &from, uri: &original.uri }).await.unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error:?}");
    assert_eq!(read_all(&to, &there.uri, 0..5).await, b"there");
}

#[test]
fn a_directory_that_can_not_be_asked_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let directory = |name: &str, priority| {
        Arc::new(Directory::open(&dir.path().join(name), priority, Writing::default()).unwrap())
    };
    let (low, high) = (directory("low", 1), directory("high", 2));
    let stale = || high.failed("", std::io::ErrorKind::StaleNetworkFileHandle.into());
    let chosen = |low_has: Result<u64>, high_has: Result<u64>| {
        let asked = [(&high, high_has), (&low, low_has)].into_iter();
        roomiest(asked, 10).map(|directory| directory.priority)
    };
    assert_eq!(chosen(Ok(20), Ok(10)).unwrap(), 2);
    assert_eq!(chosen(Ok(10), Err(stale())).unwrap(), 1);
    assert!(matches!(chosen(Ok(9), Err(stale())), Err(Error::Full(_))));
    assert!(matches!(chosen(Err(stale()), Err(stale())), Err(Error::Io { .. })));
}

/// Also in the file system that knows no nameless files.
#[tokio::test]
async fn a_file_has_the_permissions_of_any_new_file() {
    let (dir, store) = store();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    let any = dir.path().join("any");
    File::create(&any).unwrap();
    let written = store.put(ImageId::random(), None, source(vec![Ok(vec![1])])).await.unwrap();
    assert_eq!(mode(Path::new(&written.uri["file://".len()..])), mode(&any));
    let named = Partial::create_named(&store.directories[0]).unwrap();
    named.publish("named").unwrap().keep();
    assert_eq!(mode(&store.path().join("named")), mode(&any));
}

#[tokio::test]
async fn a_location_that_is_elsewhere_is_refused_with_the_option_that_names_directories() {
    let (dir, store) = store();
    fs::write(dir.path().join("x"), "x").unwrap();
    let error = store.size(&format!("file://{}/x", dir.path().display())).await.unwrap_err();
    assert!(matches!(error, Error::BadLocation(_)), "{error}");
    assert!(error.to_string().contains("filesystem_store_datadirs"), "{error}");
}

/// As where a file system is mounted after the service has begun, or mounted anew.
#[tokio::test]
async fn what_the_path_names_now_is_the_directory() {
    let (_dir, store) = store();
    let path = store.path().to_owned();
    let (id, there) = (ImageId::random(), source(vec![Ok(b"beneath".to_vec())]));
    let beneath = store.put(id, None, there).await.unwrap();
    let begun = Partial::create(&store.directories[0]).unwrap();
    let away = path.with_extension("away");
    fs::rename(&path, &away).unwrap();

    // A directory that is not there says nothing of its files.
    let errors = [
        store.probe().await.unwrap_err(),
        store.size(&beneath.uri).await.unwrap_err(),
        store.delete(&beneath.uri).await.unwrap_err(),
        store.discard(id).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }

    fs::create_dir(&path).unwrap();
    store.probe().await.unwrap();
    assert!(matches!(store.size(&beneath.uri).await, Err(Error::NotFound(_))));
    let written = store.put(id, None, source(vec![Ok(b"mounted".to_vec())])).await.unwrap();
    assert_eq!(fs::read(path.join(id.to_string())).unwrap(), b"mounted");
    assert_eq!(fs::read(away.join(id.to_string())).unwrap(), b"beneath");
    assert_eq!(read_all(&store, &written.uri, 0..7).await, b"mounted");
    // What began in the other one would be in a place that nobody sees.
    let error = begun.publish("late").err().unwrap();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(!away.join("late").exists() && !path.join("late").exists());
}
