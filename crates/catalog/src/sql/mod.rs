//! The catalog in an SQL database, on Glance's schema (Glance 33, revision `2024_1_contract01`).
//!
//! Statements are written once; what differs between databases is in `dialect`.

mod cached;
mod deletion;
mod dialect;
mod filters;
mod imports;
mod locations;
mod members;
mod metadefs;
mod order;
mod parts;
mod pending;
mod properties;
mod purge;
mod read;
mod records;
mod rows;
mod schema;
mod states;
mod tags;
mod tasks;
mod usage;
mod visibility;

use std::path::Path;

use async_trait::async_trait;
use image::{DataHashes, Event, Image, ImageId, Location, Member, MemberStatus, Status, Timestamp};

use dialect::{Connection, Pool, Transaction, query};

use crate::{
    Budget, Catalog, Error, ImageChange, ListQuery, Removal, Result, Stored, Usage, Viewer,
};

pub use cached::{LocalRecords, NodeRecords};
pub use purge::{Purged, What};
pub use schema::{Next, REVISION, Revisions};

/// A catalog in an SQL database. Clones share their connections.
#[derive(Debug, Clone)]
pub struct SqlCatalog {
    db: Pool,
}

impl SqlCatalog {
    /// Opens an SQLite database file, and creates it at Glance's current schema when it isn't
    /// there. Errors: `Schema` when it is at another revision; the file is untouched then.
    pub async fn open(path: &Path) -> Result<Self> {
        if path.exists() {
            schema::look(&mut Connection::of_file(path).await?).await?;
        }
        let catalog = Self { db: Pool::of_file(path).await? };
        schema::ensure(catalog.begin().await?).await?;
        Ok(catalog)
    }

    /// The revisions that a database file is at; none where there is no file, or no tables of
    /// Glance. Changes nothing.
    pub async fn revisions(path: &Path) -> Result<Revisions> {
        if !path.exists() {
            return Ok(Revisions::default());
        }
        schema::revisions(&mut Connection::of_file(path).await?).await
    }

    /// Removes rows that were marked deleted before `before`, at most `rows` of each table; says
    /// how many of which. Errors: `Database` when rows that stay refer to one of them.
    pub async fn purge(
        &self,
        what: What,
        before: Timestamp,
        rows: Option<u64>,
    ) -> Result<Vec<Purged>> {
        purge::purge(&self.db, what, before, rows).await
    }

    /// An empty catalog in memory, gone with its last clone. For tests: it has one connection.
    pub async fn memory() -> Result<Self> {
        let catalog = Self { db: Pool::in_memory().await? };
        schema::ensure(catalog.begin().await?).await?;
        Ok(catalog)
    }

    /// A transaction that writes.
    async fn begin(&self) -> Result<Transaction> {
        Ok(self.db.begin().await?)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            error if dialect::is_unavailable(&error) => Self::Unavailable(error),
            error if dialect::is_full(&error) => Self::Full(error),
            error => Self::Database(error),
        }
    }
}

#[async_trait]
impl Catalog for SqlCatalog {
    async fn create(&self, image: &Image) -> Result<()> {
        records::create(self.begin().await?, image).await
    }

    async fn get(&self, viewer: &Viewer, id: ImageId) -> Result<Image> {
        read::get(&mut self.db.acquire().await?, viewer, id).await
    }

    async fn list(&self, viewer: &Viewer, query: &ListQuery) -> Result<Vec<Image>> {
        read::list(&mut *self.db.snapshot().await?, viewer, query).await
    }

    async fn update(&self, id: ImageId, change: &ImageChange) -> Result<Image> {
        records::update(self.begin().await?, id, change).await
    }

    async fn transition(&self, id: ImageId, event: Event) -> Result<Status> {
        states::transition(self.begin().await?, id, event).await
    }

    async fn activate(&self, id: ImageId, stored: &Stored) -> Result<Image> {
        states::activate(self.begin().await?, id, stored, None).await
    }

    async fn activate_within(
        &self,
        id: ImageId,
        stored: &Stored,
        budget: &Budget,
    ) -> Result<Image> {
        states::activate(self.begin().await?, id, stored, Some(budget)).await
    }

    async fn refuse(&self, id: ImageId, location: &Location) -> Result<()> {
        states::refuse(self.begin().await?, id, location).await
    }

    async fn add_location(&self, id: ImageId, location: &Location) -> Result<Image> {
        locations::add(self.begin().await?, id, location).await
    }

    async fn remove_location(
        &self,
        id: ImageId,
        location: &Location,
        removal: Removal,
    ) -> Result<Image> {
        locations::remove(self.begin().await?, id, location, removal).await
    }

    async fn describe_location(
        &self,
        id: ImageId,
        before: &Location,
        after: &Location,
    ) -> Result<Image> {
        locations::describe(self.begin().await?, id, before, after).await
    }

    async fn set_hashes(&self, id: ImageId, hashes: &DataHashes) -> Result<()> {
        states::set_hashes(self.begin().await?, id, hashes).await
    }

    async fn delete(&self, id: ImageId) -> Result<Vec<Location>> {
        states::delete(self.begin().await?, id).await
    }

    async fn add_tag(&self, id: ImageId, tag: &str) -> Result<()> {
        tags::add(self.begin().await?, id, tag).await
    }

    async fn remove_tag(&self, id: ImageId, tag: &str) -> Result<bool> {
        tags::remove(self.begin().await?, id, tag).await
    }

    async fn members(&self, id: ImageId) -> Result<Vec<Member>> {
        members::all(&mut self.db.acquire().await?, id).await
    }

    async fn add_member(&self, id: ImageId, project: &str) -> Result<Member> {
        members::add(self.begin().await?, id, project).await
    }

    async fn set_member(&self, id: ImageId, project: &str, status: MemberStatus) -> Result<Member> {
        members::answer(self.begin().await?, id, project, status).await
    }

    async fn remove_member(&self, id: ImageId, project: &str) -> Result<()> {
        members::remove(self.begin().await?, id, project).await
    }

    async fn ids_with_status(&self, status: Status) -> Result<Vec<ImageId>> {
        read::ids_with_status(&mut self.db.acquire().await?, status).await
    }

    async fn status_of(&self, id: ImageId) -> Result<Option<Status>> {
        read::status_of(&mut self.db.acquire().await?, id).await
    }

    async fn pending_deletions(&self, until: Timestamp) -> Result<Vec<ImageId>> {
        pending::due(&mut self.db.acquire().await?, until).await
    }

    async fn begin_scrub(&self, id: ImageId) -> Result<Vec<Location>> {
        pending::claim(self.begin().await?, id).await
    }

    async fn usage(&self, owner: Option<&str>, except: Option<ImageId>) -> Result<Usage> {
        usage::of(&mut self.db.acquire().await?, owner, except).await
    }

    async fn ping(&self) -> Result<()> {
        query("SELECT 1").execute(&mut self.db.acquire().await?).await?;
        Ok(())
    }
}
