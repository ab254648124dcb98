//! An image as the catalog keeps it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::names::named;
use crate::{ContainerFormat, DiskFormat, ImageId, Location, Status, Timestamp};

named! {
    /// Who may see an image.
    Visibility, "visibility", {
        /// Its owner alone.
        Private = "private",
        /// Its owner, and the projects that are its members.
        Shared = "shared",
        /// Everybody by id; listed only for those who ask for it.
        Community = "community",
        /// Everybody, and listed.
        Public = "public",
    }
}

/// The digests of an image's bytes, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataHashes {
    /// MD5, for the property `checksum`; not known of bytes whose digest somebody else told.
    pub checksum: Option<String>,
    /// The algorithm of `value`: `sha512` unless configured otherwise.
    pub algorithm: String,
    /// The digest for the property `os_hash_value`.
    pub value: String,
}

/// An image: its record in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Identifier.
    pub id: ImageId,
    /// Name; need not be unique. At most 255 characters.
    pub name: Option<String>,
    /// State.
    pub status: Status,
    /// Who may see it.
    pub visibility: Visibility,
    /// The project that owns it.
    pub owner: Option<String>,
    /// Layout of the disk.
    pub disk_format: Option<DiskFormat>,
    /// Wrapping of the disk.
    pub container_format: Option<ContainerFormat>,
    /// Size of the stored bytes.
    pub size: Option<u64>,
    /// Size of the disk that the bytes describe, in bytes.
    pub virtual_size: Option<u64>,
    /// Digests of the bytes, once they are complete.
    pub hashes: Option<DataHashes>,
    /// Smallest disk that an instance needs, in GiB.
    pub min_disk: u32,
    /// Smallest memory that an instance needs, in MiB.
    pub min_ram: u32,
    /// Whether deletion is refused.
    pub protected: bool,
    /// Whether lists leave it out unless asked.
    pub os_hidden: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its record last changed.
    pub updated_at: Timestamp,
    /// Custom properties.
    pub properties: BTreeMap<String, String>,
    /// Tags, each at most 255 characters.
    pub tags: BTreeSet<String>,
    /// Where its bytes are; empty until they are complete.
    pub locations: Vec<Location>,
}

impl Image {
    /// A new record, `queued`, shared, without bytes or properties.
    pub fn new(id: ImageId, owner: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            name: None,
            status: Status::Queued,
            visibility: Visibility::Shared,
            owner,
            disk_format: None,
            container_format: None,
            size: None,
            virtual_size: None,
            hashes: None,
            min_disk: 0,
            min_ram: 0,
            protected: false,
            os_hidden: false,
            created_at: now,
            updated_at: now,
            properties: BTreeMap::new(),
            tags: BTreeSet::new(),
            locations: Vec::new(),
        }
    }
}
