//! The bucket `fs` of a database: what is done with its files and their chunks.

use std::ops::Range;

use bytes::Bytes;
use mongodb::bson::{Bson, DateTime, Document, RawDocumentBuf, doc};
use mongodb::options::{Acknowledgment, CollectionOptions, IndexOptions, WriteConcern};
use mongodb::{Collection, IndexModel};
use tokio::sync::OnceCell;

use super::failure;
use super::file::File;
use super::location::uri;
use super::server::{ANSWER, Server};
use crate::remote::{Failed, retried};
use crate::{Error, Result};

/// The bucket that drivers take where none is named.
const FILES: &str = "fs.files";
const CHUNKS: &str = "fs.chunks";

/// Chunks that are removed with one request, at most: of a GiB, so that it is answered in time.
const REMOVED: i64 = 4096;

/// What a write waits for.
#[derive(Clone, Copy)]
enum Durable {
    /// That it stays when some of the servers fail.
    Replicated,
    /// That it and all before it survive a loss of power, too, where there is one server.
    Journaled,
}

/// A bucket.
pub(super) struct Bucket {
    pub(super) server: Server,
    database: String,
    indexed: OnceCell<()>,
}

impl Bucket {
    pub(super) fn of(server: Server, database: String) -> Self {
        Self { server, database, indexed: OnceCell::new() }
    }

    /// Looks whether files can be read.
    pub(super) async fn answers(&self) -> Result<()> {
        let files = self.files().await?;
        let any = || files.find_one(doc! {}).projection(doc! { "_id": 1 });
        retried(|| self.server.done(FILES, any())).await.map(drop)
    }

    /// What it knows of a file. Errors: `NotFound`.
    pub(super) async fn file(&self, id: &str) -> Result<File> {
        let (files, at) = (self.files().await?, uri(id));
        let found = retried(|| self.server.done(&at, files.find_one(doc! { "_id": id }))).await?;
        let document = found.ok_or_else(|| Error::NotFound(at.clone()))?;
        File::decode(&document).map_err(|why| self.server.failing(format!("{at}: {why}")))
    }

    /// The bytes of some chunks of a file.
    pub(super) async fn read(
        &self,
        id: &str,
        file: File,
        numbers: Range<u64>,
    ) -> Result<Vec<Bytes>> {
        let (chunks, at) = (self.chunks().await?, uri(id));
        let of = doc! { "$gte": numbers.start as i64, "$lt": numbers.end as i64 };
        // All in one answer, after which nothing is open at the server: what a negative limit means.
        let most = (numbers.end - numbers.start) as u32;
        let reading = async {
            let finding = chunks.find(doc! { "files_id": id, "n": of }).sort(doc! { "n": 1 });
            let finding = finding.limit(-i64::from(most)).batch_size(most);
            let mut found = finding.projection(doc! { "n": 1, "data": 1 }).await?;
            let mut pieces = Vec::new();
            for number in numbers {
                if !found.advance().await? {
                    return Ok(Err(format!("chunk {number} is missing")));
                }
                match file.data(found.current(), number) {
                    Ok(bytes) => pieces.push(Bytes::copy_from_slice(bytes)),
                    Err(why) => return Ok(Err(why)),
                }
            }
            Ok(Ok(pieces))
        };
        let read = self.server.done(&at, reading).await.map_err(Failed::error)?;
        read.map_err(|why| self.server.failing(format!("{at}: {why}")))
    }

    /// Has the indexes that the specification of GridFS asks for. With that of the chunks, one of
    /// several writers has a file's first chunk.
    pub(super) async fn prepare(&self) -> Result<()> {
        self.indexed
            .get_or_try_init(async || {
                let (files, chunks) = (self.files().await?, self.chunks().await?);
                let of_files = index(doc! { "filename": 1, "uploadDate": 1 }, false);
                self.ensure(&files, of_files).await?;
                self.ensure(&chunks, index(doc! { "files_id": 1, "n": 1 }, true)).await
            })
            .await
            .map(drop)
    }

    async fn ensure<T: Send + Sync>(&self, of: &Collection<T>, index: IndexModel) -> Result<()> {
        let making = || async {
            match of.create_index(index.clone()).await {
                Err(why) if failure::is_other_index(&why) => {
                    let collection = of.name();
                    tracing::warn!(collection, "an index is not as GridFS has it");
                    Ok(())
                }
                made => made.map(drop),
            }
        };
        retried(|| self.server.done(of.name(), making())).await
    }

    /// Adds the first chunk of a file. Errors: `Exists` where there is one.
    pub(super) async fn begin(&self, id: &str, chunk: &RawDocumentBuf) -> Result<()> {
        let chunks = self.chunks().await?;
        // It is not sent twice: the second time, there would be one.
        let added = self.server.done(&uri(id), chunks.insert_one(chunk)).await;
        added.map(drop).map_err(Failed::error)
    }

    /// Adds further chunks of a file that the caller has begun. What is there of them after a break
    /// is the caller's, too, and removed before they are sent again.
    pub(super) async fn add(&self, id: &str, from: i32, added: &[RawDocumentBuf]) -> Result<()> {
        let (chunks, at) = (&self.chunks().await?, &uri(id));
        let of = doc! { "files_id": id, "n": { "$gte": from, "$lt": from + added.len() as i32 } };
        let mut attempts = 0;
        retried(|| {
            attempts += 1;
            let half = (attempts > 1).then(|| of.clone());
            async move {
                if let Some(half) = half {
                    self.server.done(at, chunks.delete_many(half)).await?;
                }
                self.server.done(at, chunks.insert_many(added)).await.map(drop)
            }
        })
        .await
    }

    /// Adds a file whose chunks are there. Errors: `Exists` where there is one of its `_id`.
    pub(super) async fn finish(&self, id: &str, file: &File) -> Result<()> {
        let files = self.files().await?;
        // It is not sent twice, either.
        let added = self.server.done(&uri(id), files.insert_one(file.encode(id))).await;
        added.map(drop).map_err(Failed::error)
    }

    /// Removes a file, and what there is of its chunks; says whether there was anything.
    pub(super) async fn remove(&self, id: &str) -> Result<bool> {
        self.remove_as(id, doc! { "_id": id }).await
    }

    /// Removes the chunks of a file, and the file where it was stored at that time.
    pub(super) async fn remove_begun(&self, id: &str, uploaded: DateTime) -> Result<bool> {
        self.remove_as(id, doc! { "_id": id, "uploadDate": uploaded }).await
    }

    /// The file goes before its chunks: nobody finds one that is not whole.
    async fn remove_as(&self, id: &str, file: Document) -> Result<bool> {
        let (files, at) = (self.files().await?, uri(id));
        let removing = || files.delete_one(file.clone());
        let removed = retried(|| self.server.done(&at, removing())).await?;
        Ok(self.remove_chunks(id).await? || removed.deleted_count > 0)
    }

    async fn remove_chunks(&self, id: &str) -> Result<bool> {
        let (chunks, at) = (self.chunks().await?, uri(id));
        let first = || {
            let first = chunks.find_one(doc! { "files_id": id }).sort(doc! { "n": 1 });
            first.projection(doc! { "n": 1 })
        };
        let mut removed = false;
        while let Some(first) = retried(|| self.server.done(&at, first())).await? {
            let to = first
                .get("n")
                .ok()
                .flatten()
                .and_then(|n| n.as_i32())
                .map_or(i64::MAX, |n| i64::from(n) + REMOVED);
            let some = doc! { "files_id": id, "n": { "$lt": to } };
            let removing = || chunks.delete_many(some.clone());
            retried(|| self.server.done(&at, removing())).await?;
            removed = true;
        }
        Ok(removed)
    }

    /// The ids of all that is there, also of what was not finished.
    pub(super) async fn ids(&self) -> Result<Vec<Bson>> {
        let (files, chunks) = (self.files().await?, self.chunks().await?);
        let finished = || files.distinct("_id", doc! {});
        let begun = || chunks.distinct("files_id", doc! {});
        let mut ids = retried(|| self.server.done(FILES, finished())).await?;
        ids.extend(retried(|| self.server.done(CHUNKS, begun())).await?);
        Ok(ids)
    }

    async fn files(&self) -> Result<Collection<Document>> {
        self.collection(FILES, Durable::Journaled).await
    }

    async fn chunks(&self) -> Result<Collection<RawDocumentBuf>> {
        self.collection(CHUNKS, Durable::Replicated).await
    }

    async fn collection<T: Send + Sync>(
        &self,
        name: &str,
        durable: Durable,
    ) -> Result<Collection<T>> {
        let client = self.server.client().await?;
        let concern = WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .w_timeout(ANSWER)
            .journal(matches!(durable, Durable::Journaled).then_some(true))
            .build();
        let options = CollectionOptions::builder().write_concern(concern).build();
        Ok(client.database(&self.database).collection_with_options(name, options))
    }
}

fn index(keys: Document, unique: bool) -> IndexModel {
    let options = IndexOptions::builder().unique(unique.then_some(true)).build();
    IndexModel::builder().keys(keys).options(options).build()
}
