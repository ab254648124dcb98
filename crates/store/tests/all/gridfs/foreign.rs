//! Files that others have written, and what others see of ours.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use image::ImageId;
use mongodb::Database;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use store::Error;

use super::{Server, unique};
use crate::conformance::{Opened, assert_same, pattern};

/// A store, and its database as others see it.
async fn opened() -> Option<(Opened, Database)> {
    let (server, name) = (Server::found()?, unique());
    let database = server.database(&name).await;
    let subject = server.subject(&name, server.options(&name, &server.password));
    Some((Opened::of(subject), database))
}

/// Numbers of a file, in one of the types that drivers have written.
struct Numbers {
    chunk: usize,
    kind: fn(i64) -> Bson,
}

/// As Glance's driver had PyMongo write it: no name, an MD5.
async fn write(database: &Database, id: &str, bytes: &[u8], numbers: &Numbers) {
    let Numbers { chunk, kind } = *numbers;
    for (n, data) in bytes.chunks(chunk).enumerate() {
        let data = Binary { subtype: BinarySubtype::Generic, bytes: data.to_vec() };
        let document =
            doc! { "_id": ObjectId::new(), "files_id": id, "n": kind(n as i64), "data": data };
        database.collection("fs.chunks").insert_one(document).await.unwrap();
    }
    let file = doc! {
        "_id": id, "chunkSize": kind(chunk as i64), "length": kind(bytes.len() as i64),
        "uploadDate": DateTime::now(), "md5": "d41d8cd98f00b204e9800998ecf8427e",
    };
    database.collection("fs.files").insert_one(file).await.unwrap();
}

#[tokio::test]
async fn files_of_glance_are_read_and_removed() {
    let Some((opened, database)) = opened().await else { return };
    let bytes = pattern(3 * 256 * 1024 + 7);
    for numbers in [
        Numbers { chunk: 255 * 1024, kind: |n| Bson::Int32(n as i32) },
        Numbers { chunk: 256 * 1024, kind: Bson::Int64 },
        Numbers { chunk: 256 * 1024, kind: |n| Bson::Double(n as f64) },
        Numbers { chunk: 1000, kind: |n| Bson::Int32(n as i32) },
        Numbers { chunk: bytes.len(), kind: |n| Bson::Int32(n as i32) },
        Numbers { chunk: 5 << 20, kind: |n| Bson::Int32(n as i32) },
    ] {
        let id = ImageId::random().to_string();
        write(&database, &id, &bytes, &numbers).await;
        let uri = format!("gridfs://{id}");
        assert_eq!(opened.store.size(&uri).await.unwrap(), bytes.len() as u64);
        assert_same(&opened.read(&uri).await.unwrap(), &bytes, &uri);
        let edge = numbers.chunk.min(bytes.len() - 9) as u64;
        for range in [0..1, edge - 1..edge + 1, edge..edge + 9, 700_000..700_001] {
            let data = opened.store.open(&uri, range.clone()).await.unwrap();
            let got: Vec<Bytes> = data.try_collect().await.unwrap();
            let expected = &bytes[range.start as usize..range.end as usize];
            assert_same(&got.concat(), expected, &format!("{range:?}"));
        }
        opened.store.delete(&uri).await.unwrap();
        assert!(opened.subject.held().await.is_empty());
    }
}

#[tokio::test]
async fn a_file_is_as_the_specification_has_it() {
    let Some((opened, database)) = opened().await else { return };
    let (id, bytes) = (ImageId::random(), pattern(255 * 1024 + 3));
    let source = crate::conformance::source(bytes.clone());
    opened.store.put(id, None, source).await.unwrap();
    let [files, chunks] =
        ["fs.files", "fs.chunks"].map(|name| database.collection::<Document>(name));
    let mut file = files.find_one(doc! {}).await.unwrap().unwrap();
    assert!(matches!(file.remove("uploadDate"), Some(Bson::DateTime(_))));
    let expected = doc! {
        "_id": id.to_string(), "length": bytes.len() as i64, "chunkSize": 255 * 1024,
        "filename": id.to_string(),
    };
    assert_eq!(file, expected);
    let found: Vec<Document> =
        chunks.find(doc! {}).sort(doc! { "n": 1 }).await.unwrap().try_collect().await.unwrap();
    for (n, (mut chunk, data)) in found.into_iter().zip(bytes.chunks(255 * 1024)).enumerate() {
        assert!(matches!(chunk.remove("_id"), Some(Bson::ObjectId(_))));
        let data = Binary { subtype: BinarySubtype::Generic, bytes: data.to_vec() };
        assert_eq!(chunk, doc! { "files_id": id.to_string(), "n": n as i32, "data": data });
    }
    assert_eq!(indexes(&files).await, [("filename_1_uploadDate_1".to_owned(), false)]);
    assert_eq!(indexes(&chunks).await, [("files_id_1_n_1".to_owned(), true)]);
}

/// The names of indexes besides that of `_id`, and whether they are unique.
async fn indexes(collection: &mongodb::Collection<Document>) -> Vec<(String, bool)> {
    let models = collection.list_indexes().await.unwrap();
    let models: Vec<_> = models.try_collect().await.unwrap();
    let options = models.into_iter().filter_map(|model| model.options);
    let named = options.filter_map(|it| Some((it.name?, it.unique.unwrap_or(false))));
    named.filter(|(name, _)| name != "_id_").collect()
}

#[tokio::test]
async fn an_index_that_is_not_unique_is_put_up_with() {
    let Some((opened, database)) = opened().await else { return };
    let keys = doc! { "files_id": 1, "n": 1 };
    let index = mongodb::IndexModel::builder().keys(keys).build();
    database.collection::<Document>("fs.chunks").create_index(index).await.unwrap();
    opened.round(&pattern(300_000), None).await;
}

#[tokio::test]
async fn a_chunk_that_is_missing_or_wrong_is_an_error() {
    let Some((opened, database)) = opened().await else { return };
    let bytes = pattern(3000);
    let numbers = Numbers { chunk: 1000, kind: |n| Bson::Int32(n as i32) };
    let chunks = database.collection::<Document>("fs.chunks");
    for missing in 0..3 {
        let id = ImageId::random().to_string();
        write(&database, &id, &bytes, &numbers).await;
        chunks.delete_one(doc! { "files_id": &id, "n": missing }).await.unwrap();
        let error = opened.read(&format!("gridfs://{id}")).await.expect_err("a chunk is missing");
        let expected = format!("chunk {missing} is missing");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let id = ImageId::random().to_string();
    write(&database, &id, &bytes, &numbers).await;
    chunks.delete_one(doc! { "files_id": &id, "n": 1 }).await.unwrap();
    let short = Binary { subtype: BinarySubtype::Generic, bytes: vec![0; 999] };
    let short = doc! { "_id": ObjectId::new(), "files_id": &id, "n": 1, "data": short };
    chunks.insert_one(short).await.unwrap();
    let error = opened.read(&format!("gridfs://{id}")).await.expect_err("a chunk is short");
    assert!(error.to_string().contains("chunk 1 has 999 bytes"), "{error}");
}

#[tokio::test]
async fn what_a_dead_process_has_left_is_found_and_removed() {
    let Some((opened, database)) = opened().await else { return };
    let left = ImageId::random();
    let numbers = Numbers { chunk: 1000, kind: |n| Bson::Int32(n as i32) };
    write(&database, &left.to_string(), &pattern(5000), &numbers).await;
    database.collection::<Document>("fs.files").delete_one(doc! {}).await.unwrap();
    write(&database, "not an image", b"x", &numbers).await;
    let whole = ImageId::random();
    opened.store.put(whole, None, futures::stream::empty().boxed()).await.unwrap();
    let mut expected = [left, whole];
    expected.sort();
    assert_eq!(opened.store.stored().await.unwrap(), expected);
    // Nobody takes it for an image, nor writes over it.
    let uri = format!("gridfs://{left}");
    assert!(matches!(opened.store.size(&uri).await, Err(Error::NotFound(_))));
    let source = crate::conformance::source(b"new".to_vec());
    assert!(matches!(opened.store.put(left, None, source).await, Err(Error::Exists(_))));
    assert!(opened.store.discard(left).await.unwrap());
    assert_eq!(opened.store.stored().await.unwrap(), [whole]);
}

#[tokio::test]
async fn another_file_of_the_same_id_is_not_read_on() {
    let Some((opened, database)) = opened().await else { return };
    let (id, bytes) = (ImageId::random().to_string(), pattern(24_000_000));
    let numbers = Numbers { chunk: 2 << 20, kind: |n| Bson::Int32(n as i32) };
    write(&database, &id, &bytes, &numbers).await;
    let uri = format!("gridfs://{id}");
    let mut data = opened.store.open(&uri, 0..bytes.len() as u64).await.unwrap();
    let first = data.next().await.unwrap().unwrap();
    opened.store.delete(&uri).await.unwrap();
    write(&database, &id, &vec![7; bytes.len()], &numbers).await;
    let mut at = first.len();
    let failed = loop {
        match data.next().await {
            Some(Ok(piece)) => {
                assert_same(&piece, &bytes[at..at + piece.len()], "before it was replaced");
                at += piece.len();
            }
            Some(Err(error)) => break error,
            None => panic!("all of it was read, after it was removed"),
        }
    };
    assert!(failed.to_string().contains("was replaced"), "{failed}");
}
