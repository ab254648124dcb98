//! What a list of images asks for.

use std::collections::BTreeSet;

use image::{ContainerFormat, DiskFormat, ImageId, MemberStatus, Status, Timestamp, Visibility};
use serde::{Deserialize, Serialize};

/// A list of images: filters, order, and one page of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListQuery {
    /// All of them must hold.
    pub filters: Vec<Filter>,
    /// Sort keys, first one first. The catalog adds `created_at` and `id`, so that the order is
    /// total, as Glance does.
    pub order: Vec<Order>,
    /// The page begins after this image.
    pub marker: Option<ImageId>,
    /// At most so many.
    pub limit: u32,
    /// Which images that are shared with the viewer are listed.
    pub member_status: MemberFilter,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            filters: Vec::new(),
            order: Vec::new(),
            marker: None,
            limit: 25,
            member_status: MemberFilter::Only(MemberStatus::Accepted),
        }
    }
}

/// Which images shared with the viewer are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MemberFilter {
    /// Those with this answer.
    Only(MemberStatus),
    /// Whatever the answer.
    All,
}

/// One condition on an image. Lists of values mean: any of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Filter {
    /// Identifier.
    Id(Vec<String>),
    /// Name.
    Name(Vec<String>),
    /// State.
    Status(Vec<Status>),
    /// Visibility. `None` is the list of all that the viewer may see, community images of others
    /// included (Glance's `visibility=all`).
    Visibility(Option<Visibility>),
    /// Owner.
    Owner(String),
    /// Disk format.
    DiskFormat(Vec<DiskFormat>),
    /// Container format.
    ContainerFormat(Vec<ContainerFormat>),
    /// Has all of these tags.
    Tags(BTreeSet<String>),
    /// A number of the record compares so with another.
    Number(Quantity, Comparison, i64),
    /// Protection.
    Protected(bool),
    /// Hidden images. Without this filter the list leaves hidden images out.
    OsHidden(bool),
    /// MD5.
    Checksum(String),
    /// Digest.
    OsHashValue(String),
    /// Name of the digest's algorithm.
    OsHashAlgo(String),
    /// Time of creation.
    CreatedAt(TimeTest),
    /// Time of the last change.
    UpdatedAt(TimeTest),
    /// A custom property has this value.
    Property(String, String),
}

/// A number that a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quantity {
    /// Bytes stored.
    Size,
    /// Bytes of the disk that they describe.
    VirtualSize,
    /// Smallest disk, GiB.
    MinDisk,
    /// Smallest memory, MiB.
    MinRam,
}

/// How a number compares with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// It is the same.
    Exactly,
    /// It is not smaller.
    AtLeast,
    /// It is not larger.
    AtMost,
}

/// A comparison with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeTest {
    /// After.
    Gt(Timestamp),
    /// At or after.
    Gte(Timestamp),
    /// Before.
    Lt(Timestamp),
    /// At or before.
    Lte(Timestamp),
    /// At.
    Eq(Timestamp),
    /// Not at.
    Neq(Timestamp),
}

/// One sort key with its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Order {
    /// By what.
    pub key: SortKey,
    /// Which way.
    pub direction: Direction,
}

/// What images can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    /// Name.
    Name,
    /// State.
    Status,
    /// Container format.
    ContainerFormat,
    /// Disk format.
    DiskFormat,
    /// Size.
    Size,
    /// Identifier.
    Id,
    /// Creation.
    CreatedAt,
    /// Last change.
    UpdatedAt,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first: Glance's default.
    Descending,
}
