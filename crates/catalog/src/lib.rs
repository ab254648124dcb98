//! Where records live: the [`Catalog`] of images.
//!
//! Visibility, filters, sorting and paging happen in the catalog, never in memory above it. What
//! an image's state may become is decided by [`image::Status::next`]; the catalog makes the move
//! atomic: of two that race, one gets [`Error::Conflict`].

mod bad_text;
mod cached;
mod cause;
mod imports;
mod leftovers;
pub mod metadefs;
mod query;
mod records;
pub mod registry;
pub mod sql;
mod tasks;
mod uploads;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use image::{
    ContainerFormat, DataHashes, DiskFormat, Event, Image, ImageId, Location, Member, MemberStatus,
    Status, TaskId, Timestamp, Visibility,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use bad_text::BadText;
pub use cached::{CachedImage, CachedImages, Caches, NodeRecords};
pub use cause::Cause;
pub use imports::{
    Effect, FAILED, IMPORTING, ImportStart, Imported, ImportedData, Imports, LOCK, STAGE_HOST,
};
pub use leftovers::{Leftover, Leftovers};
pub use query::{
    Comparison, Direction, Filter, ListQuery, MemberFilter, Order, Quantity, SortKey, TimeTest,
};
pub use records::Records;
pub use tasks::{Ending, Lease, Renewed, TaskColumn, TaskQuery, Tasks};
pub use uploads::{UnderWay, Upload, Uploads, holder};
pub use usage::{Budget, Usage};

/// What can go wrong with records.
#[derive(Debug, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Error {
    /// No such image, or the viewer may not see it.
    #[error("no image found with id {0}")]
    NotFound(ImageId),
    /// The image exists, but the project is not one of its members.
    #[error("project {project} is not a member of image {image}")]
    MemberNotFound {
        /// The image.
        image: ImageId,
        /// The project.
        project: String,
    },
    /// The image has no such location.
    #[error("image {image} has no location {uri}")]
    LocationNotFound {
        /// The image.
        image: ImageId,
        /// The location.
        uri: String,
    },
    /// The image has that location already.
    #[error("image {image} has the location {uri} already")]
    DuplicateLocation {
        /// The image.
        image: ImageId,
        /// The location.
        uri: String,
    },
    /// The only place of an image's bytes can't be taken from it.
    #[error("image {0} has no other location")]
    LastLocation(ImageId),
    /// An image of that id exists, or existed.
    #[error("image id {0} is already in use")]
    Duplicate(ImageId),
    /// The database does not tell the names of two properties apart.
    #[error(
        "Image {0} can't have properties whose names differ only in upper and lower case, in accents or \
         in spaces at their end: the database takes them for the same."
    )]
    SimilarProperties(ImageId),
    /// The project is a member already.
    #[error("project {project} is already a member of image {image}")]
    DuplicateMember {
        /// The image.
        image: ImageId,
        /// The project.
        project: String,
    },
    /// The image's state does not allow the event, or changed meanwhile.
    #[error("image {image} is {status}, which does not allow this")]
    Conflict {
        /// The image.
        image: ImageId,
        /// The state that it is in.
        status: Status,
    },
    /// The image is protected from deletion.
    #[error("image {0} is protected from deletion")]
    Protected(ImageId),
    /// The image's bytes are being removed, or are gone.
    #[error("the data of image {0} is being removed already; it can't be restored")]
    Scrubbed(ImageId),
    /// A project would have more bytes than it may.
    #[error(
        "Image exceeds the storage quota: The size of the data {size} will exceed the limit. \
         {remaining} bytes remaining."
    )]
    OverBudget {
        /// Bytes of the image.
        size: u64,
        /// Bytes that others leave.
        remaining: i128,
    },
    /// The marker of a list names no image that the viewer may see.
    #[error("no image found for marker {0}")]
    BadMarker(String),
    /// No such task.
    #[error("no task found with id {0}")]
    TaskNotFound(TaskId),
    /// Somebody else works on the task now, or it has ended.
    #[error("task {0} is no longer ours to work on")]
    LeaseLost(TaskId),
    /// Somebody else has ended the upload: its holder gave no sign of life for too long.
    #[error(
        "the upload of image {0} was given up, for the service gave no sign of life; repeat it"
    )]
    UploadLost(ImageId),
    /// Another task imports the image.
    #[error("image {image} is being imported by task {task}")]
    ImportLocked {
        /// The image.
        image: ImageId,
        /// The task, as the image's lock names it.
        task: String,
    },
    /// The database, or the registry before it, can't be reached or is overloaded; the request may
    /// be repeated.
    #[error("the catalog is unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// The disk has no room for the change.
    #[error("there is no room left for the catalog: {0}")]
    Full(#[source] Cause),
    /// The database takes no changes now: a replica, or one under maintenance.
    #[error("the catalog's database is read-only: {0}")]
    ReadOnly(#[source] Cause),
    /// The database can't hold a text.
    #[error(transparent)]
    BadText(#[from] BadText),
    /// The database refused, for a reason that a repetition won't mend.
    #[error("the catalog's database failed: {0}")]
    Database(#[source] Cause),
    /// The database is at a revision of Glance's schema that this version does not know.
    #[error(
        "the database is at schema revision '{found}', this version knows '{known}'; it is left \
         untouched, and `tintype db check` says what to do"
    )]
    Schema {
        /// What was found.
        found: String,
        /// What is known.
        known: String,
    },
    /// A location's URL can't be read: `metadata_encryption_key` is not the key that it was
    /// encrypted with.
    #[error(
        "a location of image {0} is encrypted with another key than metadata_encryption_key; the \
         image stays as it is"
    )]
    SealedLocation(ImageId),
    /// A location's URL can't be encrypted.
    #[error("a location can't be encrypted: {0}")]
    Encryption(#[source] Cause),
    /// A row holds what no service should have written.
    #[error("image {image}: unreadable record: {what}")]
    Corrupt {
        /// The image's id, as stored.
        image: String,
        /// Column and value.
        what: String,
    },
    /// Something about metadata definitions.
    #[error(transparent)]
    Metadef(#[from] metadefs::Fault),
}

impl Error {
    /// Whether the catalog has looked at the image and made no change, for what it is or would be.
    /// After any other error a change may have been made, or be made yet: the answer may have been lost.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotFound(_)
                | Self::Conflict { .. }
                | Self::ImportLocked { .. }
                | Self::OverBudget { .. }
                | Self::BadText(_)
        )
    }
}

/// The result of a catalog's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Through whose eyes the catalog is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Viewer {
    /// The caller's project; `None` sees public and community images only.
    pub project: Option<String>,
    /// Whether every image is seen.
    pub is_admin: bool,
}

impl Viewer {
    /// The service itself: sees every image.
    pub fn service() -> Self {
        Self { project: None, is_admin: true }
    }
}

/// A change to an image's record: `Some` replaces, `None` leaves alone. The inner `None` of a
/// nested option sets the column to null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChange {
    /// Name.
    #[serde(with = "records::nullable")]
    pub name: Option<Option<String>>,
    /// Visibility.
    pub visibility: Option<Visibility>,
    /// Owner.
    #[serde(with = "records::nullable")]
    pub owner: Option<Option<String>>,
    /// Disk format.
    #[serde(with = "records::nullable")]
    pub disk_format: Option<Option<DiskFormat>>,
    /// Container format.
    #[serde(with = "records::nullable")]
    pub container_format: Option<Option<ContainerFormat>>,
    /// Smallest disk, GiB.
    pub min_disk: Option<u32>,
    /// Smallest memory, MiB.
    pub min_ram: Option<u32>,
    /// Protection against deletion.
    pub protected: Option<bool>,
    /// Left out of lists.
    pub os_hidden: Option<bool>,
    /// Properties to set (`Some`) or remove (`None`); others stay.
    pub properties: BTreeMap<String, Option<String>>,
    /// All tags.
    pub tags: Option<BTreeSet<String>>,
}

/// What an upload left behind in a store, for [`Catalog::activate`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Where the bytes are, durably.
    pub location: Location,
    /// How many they are.
    pub size: u64,
    /// Size of the disk that they describe, when known.
    pub virtual_size: Option<u64>,
    /// Their digests; `None` where nobody has read them yet.
    pub hashes: Option<DataHashes>,
    /// The right to say so, where others may take it.
    pub upload: Option<Upload>,
}

/// When the bytes of a location that is taken from an image go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removal {
    /// With the location. Until then they are noted as that, if they are in a store that is known.
    Now(Option<Leftover>),
    /// With the image, whose deletion finds them.
    Later,
}

/// The catalog of images. All methods are atomic and durable when they return.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Registers an image. Errors: `Duplicate`, also when an image of that id was deleted.
    async fn create(&self, image: &Image) -> Result<()>;

    /// One image. Errors: `NotFound`, also when the viewer may not see it.
    async fn get(&self, viewer: &Viewer, id: ImageId) -> Result<Image>;

    /// The images that match, in order, at most `query.limit`. Errors: `BadMarker`.
    async fn list(&self, viewer: &Viewer, query: &ListQuery) -> Result<Vec<Image>>;

    /// Changes a record and returns it. Errors: `NotFound`; `Conflict` when formats are to change
    /// and the image has bytes, or is about to: they say what its bytes were inspected as.
    async fn update(&self, id: ImageId, change: &ImageChange) -> Result<Image>;

    /// Moves an image to the state that follows the event. Errors: `NotFound`; `Conflict` when
    /// the state does not allow it. Abandoning clears size, hashes and locations.
    async fn transition(&self, id: ImageId, event: Event) -> Result<Status>;

    /// Makes an image active with its bytes: location, size, hashes and state in one transaction.
    /// Locations that it had before are of bytes that were refused, and go.
    /// Errors: `NotFound`, `Conflict`; `UploadLost` when somebody has taken the upload over.
    async fn activate(&self, id: ImageId, stored: &Stored) -> Result<Image>;

    /// Queues an image again that does not take the bytes at a location, which it goes on to show.
    /// Errors: `NotFound`; `Conflict` when no bytes are on their way to it.
    async fn refuse(&self, id: ImageId, location: &Location) -> Result<()>;

    /// Adds a place where the bytes of an active image are too. Errors: `NotFound`; `Conflict` when
    /// the image isn't active; `DuplicateLocation`.
    async fn add_location(&self, id: ImageId, location: &Location) -> Result<Image>;

    /// Takes one of several locations from an active image; its row stays, marked deleted, or
    /// `pending_delete` where its bytes go later. Errors: `NotFound`; `Conflict` when the image
    /// isn't active; `LocationNotFound`; `LastLocation`.
    async fn remove_location(
        &self,
        id: ImageId,
        location: &Location,
        removal: &Removal,
    ) -> Result<Image>;

    /// Gives a location other metadata. Errors: `NotFound`; `LocationNotFound`.
    async fn describe_location(
        &self,
        id: ImageId,
        before: &Location,
        after: &Location,
    ) -> Result<Image>;

    /// Writes digests that became known after the image was active. Errors: `NotFound`.
    async fn set_hashes(&self, id: ImageId, hashes: &DataHashes) -> Result<()>;
    /// As `activate`, unless the project would then have more than its budget: checked in the same
    /// transaction. Errors: `OverBudget` besides.
    async fn activate_within(&self, id: ImageId, stored: &Stored, budget: &Budget)
    -> Result<Image>;

    /// Deletes an image: the row stays with `deleted` set, and its properties, tags, members and
    /// locations with it, as in Glance. Returns the locations that it had; what is left of it in stores
    /// is noted. Errors: `NotFound`; `Protected`.
    async fn delete(&self, id: ImageId, left: &[Leftover]) -> Result<Vec<Location>>;

    /// Puts one tag on an image; a tag that is there already is no error.
    async fn add_tag(&self, id: ImageId, tag: &str) -> Result<()>;

    /// Takes one tag off; says whether it was there.
    async fn remove_tag(&self, id: ImageId, tag: &str) -> Result<bool>;

    /// The members of an image, by creation.
    async fn members(&self, id: ImageId) -> Result<Vec<Member>>;

    /// Offers an image to a project. Errors: `DuplicateMember`.
    async fn add_member(&self, id: ImageId, project: &str) -> Result<Member>;

    /// Sets a project's answer. Errors: `MemberNotFound`.
    async fn set_member(&self, id: ImageId, project: &str, status: MemberStatus) -> Result<Member>;

    /// Takes an offer back. Errors: `MemberNotFound`.
    async fn remove_member(&self, id: ImageId, project: &str) -> Result<()>;

    /// Ids of images in a state, deleted ones only when the state is `Deleted`. For the sweep at
    /// start, which ends what a crash left half-done.
    async fn ids_with_status(&self, status: Status) -> Result<Vec<ImageId>>;

    /// The state of an image whoever owns it, `Deleted` included; `None` when the catalog never
    /// knew it.
    async fn status_of(&self, id: ImageId) -> Result<Option<Status>>;

    /// Images whose deletion was put off, and that were deleted at `until` or before.
    async fn pending_deletions(&self, until: Timestamp) -> Result<Vec<ImageId>>;

    /// Takes the bytes of an image whose deletion was put off: from now on it can't be restored,
    /// and the locations that are returned are to be emptied. May be repeated, after a crash or by
    /// another process at the same time, until the image's transition by `Delete`. Errors:
    /// `NotFound`, `Conflict` when its deletion is not pending.
    async fn begin_scrub(&self, id: ImageId) -> Result<Vec<Location>>;

    /// What a project uses; of the bytes in stores, those of `except` are not counted.
    async fn usage(&self, owner: Option<&str>, except: Option<ImageId>) -> Result<Usage>;

    /// Answers when the database does. For health checks.
    async fn ping(&self) -> Result<()>;
}
