//! The catalog in an SQL database, on Glance's schema (Glance 33, revision `2024_1_contract01`).
//!
//! Statements are written once; what differs between databases is in `dialect`.

#[macro_use]
mod change;
mod cached;
mod database;
mod deletion;
mod dialect;
mod filters;
mod gather;
mod gathered;
mod imports;
mod indexes;
mod leftovers;
mod locations;
mod members;
mod metadefs;
mod order;
mod page;
mod parts;
mod pending;
mod place;
mod properties;
mod purge;
mod reach;
mod read;
mod readable;
mod records;
mod rows;
mod schema;
mod sealed;
mod states;
mod tags;
mod tasks;
mod uploads;
mod usage;
mod visibility;
mod whole;

use std::path::Path;
use std::slice;

use async_trait::async_trait;
use image::{DataHashes, Event, Image, ImageId, Location, Member, MemberStatus, Status, Timestamp};

use dialect::{Connection, Pool, Transaction, query};
use gathered::Gathered;
use indexes::Indexes;
use leftovers::Places;

use crate::{
    Budget, Catalog, Error, ImageChange, Leftover, ListQuery, Removal, Result, Stored, Usage,
    Viewer,
};

pub use cached::LocalRecords;
pub use database::{BadConnection, Database, Limits};
pub use indexes::Index;
pub use purge::{Purged, What};
pub use schema::{Next, REVISION, Revisions};
pub use sealed::{BadKey, LocationKey};

/// A catalog in an SQL database. Clones share their connections.
#[derive(Debug, Clone)]
pub struct SqlCatalog {
    db: Pool,
    /// How often a transaction is repeated that was in another's way; `None` is for no limit.
    repetitions: Option<u32>,
    /// What lists can rely on, as it was at the start.
    indexes: Indexes,
    /// Reads that share statements; `None` where all there is is one connection.
    gathered: Option<Gathered>,
    /// The stores of which leftovers can be noted.
    places: Places,
}

impl SqlCatalog {
    /// Opens an SQLite database file, and creates it at Glance's current schema when it isn't
    /// there. Errors: `Schema` when it is at another revision; the file is untouched then.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::connect(&path.into()).await
    }

    /// Connects to a database, and creates Glance's tables where there are none. Errors: `Schema`
    /// when it is at another revision; it is untouched then. `Unavailable` when it was not reached
    /// in as many tries as its limits say.
    pub async fn connect(database: &Database) -> Result<Self> {
        if let Some(path) = database.file().filter(|path| path.exists()) {
            schema::look(&mut Connection::of_file(path).await?).await?;
        }
        let db = Pool::of(database).await?;
        let repetitions = database.limits.repetitions;
        let mut catalog = Self {
            db,
            repetitions,
            indexes: Indexes::Glances,
            gathered: None,
            places: Places::default(),
        };
        // A database that takes no changes may have all its tables.
        match schema::look(&mut catalog.db.acquire().await?).await {
            Ok(schema::Found::Current) => {}
            // Another service may be in the middle of making them.
            Ok(schema::Found::Nothing) | Err(Error::Schema { .. }) => {
                change!(catalog, db => schema::ensure(db))?;
            }
            Err(error) => return Err(error),
        }
        catalog.indexes = indexes::look(&mut catalog.db.acquire().await?).await?;
        catalog.gathered = Some(Gathered::new(&catalog.db, catalog.indexes));
        Ok(catalog)
    }

    /// The revisions that a database is at; none where there is no file, or no tables of Glance.
    /// Changes nothing.
    pub async fn revisions(database: &Database) -> Result<Revisions> {
        match database.file() {
            Some(path) if !path.exists() => Ok(Revisions::default()),
            Some(path) => schema::revisions(&mut Connection::of_file(path).await?).await,
            None => schema::revisions(&mut Pool::of(database).await?.acquire().await?).await,
        }
    }

    /// Removes rows that were marked deleted before `before`, at most `rows` of each table; says
    /// how many of which. Errors: `Database` when rows that stay refer to one of them.
    pub async fn purge(
        &self,
        what: What,
        before: Timestamp,
        rows: Option<u64>,
    ) -> Result<Vec<Purged>> {
        purge::purge(self, what, before, rows).await
    }

    /// Adds the indexes besides Glance's that are missing, and says which they were. Services go on
    /// meanwhile, but for those that write to an SQLite file; they use them from their next start.
    pub async fn add_indexes(&self) -> Result<Vec<Index>> {
        indexes::add(&mut self.db.writer().await?).await
    }

    /// An empty catalog in memory, gone with its last clone. For tests: it has one connection.
    pub async fn memory() -> Result<Self> {
        let db = Pool::in_memory().await?;
        let (repetitions, indexes) = (Some(0), Indexes::Glances);
        let places = Places::default();
        let catalog = Self { db, repetitions, indexes, gathered: None, places };
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
        if let Some(why) = dialect::bad_text(&error) {
            return why.into();
        }
        match error {
            error if dialect::is_unavailable(&error) => Self::Unavailable(error.into()),
            error if dialect::is_full(&error) => Self::Full(error.into()),
            error if dialect::is_read_only(&error) => Self::ReadOnly(error.into()),
            error => Self::Database(error.into()),
        }
    }
}

#[async_trait]
impl Catalog for SqlCatalog {
    async fn create(&self, image: &Image) -> Result<()> {
        change!(self, db => records::create(db, image))
    }

    async fn get(&self, viewer: &Viewer, id: ImageId) -> Result<Image> {
        if let Some(gathered) = &self.gathered
            && let Some(answer) = gathered.image(viewer, id).await
        {
            return answer;
        }
        read::get(&mut self.db.acquire().await?, viewer, id).await
    }

    async fn list(&self, viewer: &Viewer, query: &ListQuery) -> Result<Vec<Image>> {
        if let Some(gathered) = &self.gathered
            && let Some(answer) = gathered.page(viewer, query).await
        {
            return answer;
        }
        read::list(&mut self.db.acquire().await?, viewer, query, self.indexes).await
    }

    async fn update(&self, id: ImageId, change: &ImageChange) -> Result<Image> {
        change!(self, db => records::update(db, id, change))
    }

    async fn transition(&self, id: ImageId, event: Event) -> Result<Status> {
        change!(self, db => states::transition(db, id, event))
    }

    async fn activate(&self, id: ImageId, stored: &Stored) -> Result<Image> {
        change!(self, db => states::activate(db, id, stored, None))
    }

    async fn activate_within(
        &self,
        id: ImageId,
        stored: &Stored,
        budget: &Budget,
    ) -> Result<Image> {
        change!(self, db => states::activate(db, id, stored, Some(budget)))
    }

    async fn refuse(&self, id: ImageId, location: &Location) -> Result<()> {
        change!(self, db => states::refuse(db, id, location))
    }

    async fn add_location(&self, id: ImageId, location: &Location) -> Result<Image> {
        change!(self, db => locations::add(db, id, location))
    }

    async fn remove_location(
        &self,
        id: ImageId,
        location: &Location,
        removal: &Removal,
    ) -> Result<Image> {
        if let Removal::Now(Some(left)) = removal {
            self.know_places(slice::from_ref(left)).await?;
        }
        change!(self, db => locations::remove(db, id, location, removal))
    }

    async fn describe_location(
        &self,
        id: ImageId,
        before: &Location,
        after: &Location,
    ) -> Result<Image> {
        change!(self, db => locations::describe(db, id, before, after))
    }

    async fn set_hashes(&self, id: ImageId, hashes: &DataHashes) -> Result<()> {
        change!(self, db => states::set_hashes(db, id, hashes))
    }

    async fn delete(&self, id: ImageId, left: &[Leftover]) -> Result<Vec<Location>> {
        self.know_places(left).await?;
        change!(self, db => states::delete(db, id, left))
    }

    async fn add_tag(&self, id: ImageId, tag: &str) -> Result<()> {
        change!(self, db => tags::add(db, id, tag))
    }

    async fn remove_tag(&self, id: ImageId, tag: &str) -> Result<bool> {
        change!(self, db => tags::remove(db, id, tag))
    }

    async fn members(&self, id: ImageId) -> Result<Vec<Member>> {
        members::all(&mut self.db.acquire().await?, id).await
    }

    async fn add_member(&self, id: ImageId, project: &str) -> Result<Member> {
        change!(self, db => members::add(db, id, project))
    }

    async fn set_member(&self, id: ImageId, project: &str, status: MemberStatus) -> Result<Member> {
        change!(self, db => members::answer(db, id, project, status))
    }

    async fn remove_member(&self, id: ImageId, project: &str) -> Result<()> {
        change!(self, db => members::remove(db, id, project))
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
        change!(self, db => pending::claim(db, id))
    }

    async fn usage(&self, owner: Option<&str>, except: Option<ImageId>) -> Result<Usage> {
        usage::of(&mut self.db.acquire().await?, owner, except).await
    }

    async fn ping(&self) -> Result<()> {
        query("SELECT 1").execute(&mut self.db.acquire().await?).await?;
        Ok(())
    }
}
