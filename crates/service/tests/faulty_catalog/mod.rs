//! A catalog that fails where it is told to, and is a real one otherwise.

use std::sync::Mutex;

use async_trait::async_trait;
use catalog::sql::SqlCatalog;
use catalog::{
    Budget, Caches, Catalog, Error, ImageChange, Leftover, ListQuery, Removal, Result, Stored,
    Uploads, Usage, Viewer, holder,
};
use image::{DataHashes, Event, Image, ImageId, Location, Member, MemberStatus, Status, Timestamp};

/// When activating an image fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    BeforeActivation,
    AfterActivation,
    /// The database does it later than it is said to have failed: once the record was looked at.
    Late,
    /// Somebody takes the service for dead just before.
    TakenOver,
}

pub(crate) struct FaultyCatalog {
    pub(crate) catalog: SqlCatalog,
    pub(crate) fault: Fault,
    /// What is still to be done.
    pub(crate) late: Mutex<Option<Stored>>,
}

fn lost() -> Error {
    Error::Unavailable(sqlx::Error::PoolTimedOut.into())
}

#[async_trait]
impl Catalog for FaultyCatalog {
    async fn activate(&self, id: ImageId, stored: &Stored) -> Result<Image> {
        if self.fault == Fault::BeforeActivation {
            return Err(lost());
        }
        if self.fault == Fault::Late {
            *self.late.lock().unwrap() = Some(stored.clone());
            return Err(lost());
        }
        if self.fault == Fault::TakenOver {
            let another = self.catalog.node(&holder("another")).await?;
            for seen in self.catalog.uploads().await? {
                let taken = self.catalog.take_upload_over(another, &seen).await?;
                self.catalog.end_upload(&taken).await?;
            }
        }
        let image = self.catalog.activate(id, stored).await?;
        if self.fault == Fault::AfterActivation { Err(lost()) } else { Ok(image) }
    }

    async fn refuse(&self, id: ImageId, location: &Location) -> Result<()> {
        self.catalog.refuse(id, location).await
    }

    async fn add_location(&self, id: ImageId, location: &Location) -> Result<Image> {
        self.catalog.add_location(id, location).await
    }

    async fn remove_location(
        &self,
        id: ImageId,
        location: &Location,
        removal: &Removal,
    ) -> Result<Image> {
        self.catalog.remove_location(id, location, removal).await
    }

    async fn describe_location(
        &self,
        id: ImageId,
        before: &Location,
        after: &Location,
    ) -> Result<Image> {
        self.catalog.describe_location(id, before, after).await
    }

    async fn set_hashes(&self, id: ImageId, hashes: &DataHashes) -> Result<()> {
        self.catalog.set_hashes(id, hashes).await
    }

    async fn activate_within(
        &self,
        id: ImageId,
        stored: &Stored,
        budget: &Budget,
    ) -> Result<Image> {
        self.catalog.activate_within(id, stored, budget).await
    }

    async fn create(&self, image: &Image) -> Result<()> {
        self.catalog.create(image).await
    }

    async fn get(&self, viewer: &Viewer, id: ImageId) -> Result<Image> {
        let image = self.catalog.get(viewer, id).await;
        let late = self.late.lock().unwrap().take();
        if let Some(stored) = late {
            let _done_if_it_can_be = self.catalog.activate(id, &stored).await;
        }
        image
    }

    async fn list(&self, viewer: &Viewer, query: &ListQuery) -> Result<Vec<Image>> {
        self.catalog.list(viewer, query).await
    }

    async fn update(&self, id: ImageId, change: &ImageChange) -> Result<Image> {
        self.catalog.update(id, change).await
    }

    async fn transition(&self, id: ImageId, event: Event) -> Result<Status> {
        self.catalog.transition(id, event).await
    }

    async fn delete(&self, id: ImageId, left: &[Leftover]) -> Result<Vec<Location>> {
        self.catalog.delete(id, left).await
    }

    async fn add_tag(&self, id: ImageId, tag: &str) -> Result<()> {
        self.catalog.add_tag(id, tag).await
    }

    async fn remove_tag(&self, id: ImageId, tag: &str) -> Result<bool> {
        self.catalog.remove_tag(id, tag).await
    }

    async fn members(&self, id: ImageId) -> Result<Vec<Member>> {
        self.catalog.members(id).await
    }

    async fn add_member(&self, id: ImageId, project: &str) -> Result<Member> {
        self.catalog.add_member(id, project).await
    }

    async fn set_member(&self, id: ImageId, project: &str, status: MemberStatus) -> Result<Member> {
        self.catalog.set_member(id, project, status).await
    }

    async fn remove_member(&self, id: ImageId, project: &str) -> Result<()> {
        self.catalog.remove_member(id, project).await
    }

    async fn ids_with_status(&self, status: Status) -> Result<Vec<ImageId>> {
        self.catalog.ids_with_status(status).await
    }

    async fn status_of(&self, id: ImageId) -> Result<Option<Status>> {
        self.catalog.status_of(id).await
    }

    async fn pending_deletions(&self, until: Timestamp) -> Result<Vec<ImageId>> {
        self.catalog.pending_deletions(until).await
    }

    async fn begin_scrub(&self, id: ImageId) -> Result<Vec<Location>> {
        self.catalog.begin_scrub(id).await
    }

    async fn usage(&self, owner: Option<&str>, except: Option<ImageId>) -> Result<Usage> {
        self.catalog.usage(owner, except).await
    }

    async fn ping(&self) -> Result<()> {
        self.catalog.ping().await
    }
}
