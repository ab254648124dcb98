//! Who receives the bytes of which image, be it for a store or for the staging area: [`Uploads`].
//!
//! Any number of services may receive bytes for the images of one catalog. Each notes for which, and
//! gives signs of life; what gives none any more can be ended by another one. Whoever holds an
//! [`Upload`] may make its image active or queue it again; somebody who was taken for dead can do
//! neither any more. An upload of Glance's is not noted, so nobody takes it for dead.
//!
//! Glance's tables have no place for that. Its records of what lies in the caches of nodes have all
//! that it takes: a node, an image, a time. A service is a node of its own there, by the name of
//! [`holder`], which no Glance has.

use async_trait::async_trait;
use image::{Event, ImageId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Result;

/// The right to end an upload, until somebody takes it over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Upload {
    /// The image whose bytes come.
    pub image: ImageId,
    /// Known to the holder alone: 32 hexadecimal digits.
    pub key: String,
}

impl Upload {
    /// One that nobody else holds.
    pub fn of(image: ImageId) -> Self {
        Self { image, key: ImageId::random().to_string().replace('-', "") }
    }
}

/// An upload as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The upload.
    pub upload: Upload,
    /// Who receives it: see [`holder`].
    pub holder: String,
    /// Its holder's last sign of life.
    pub renewed_at: Timestamp,
}

/// How holders' names begin.
pub(crate) const HOLDER: &str = "tintype:";

/// What a service is called that holds uploads, among the nodes of [`Caches`](crate::Caches).
pub fn holder(service: &str) -> String {
    format!("{HOLDER}{service}")
}

/// The uploads of the catalog. All methods are atomic and durable when they return.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Moves a queued image to `saving` or `uploading`, as the event says, and notes that this node
    /// receives its bytes. Errors: `NotFound`; `Conflict` when the image isn't queued.
    async fn begin_upload(&self, node: i64, upload: &Upload, event: Event) -> Result<()>;

    /// Gives a sign of life for all uploads of a node.
    async fn renew_uploads(&self, node: i64) -> Result<()>;

    /// The uploads that are under way, of all services.
    async fn uploads(&self) -> Result<Vec<UnderWay>>;

    /// Takes an upload over from whoever held it. Errors: `UploadLost` when its holder has ended it
    /// or given a sign of life since it was seen.
    async fn take_upload_over(&self, node: i64, seen: &UnderWay) -> Result<Upload>;

    /// Ends an upload whose bytes are not stored: an image that is still `saving` or `uploading` is
    /// queued again.
    /// Errors: `UploadLost`.
    async fn end_upload(&self, upload: &Upload) -> Result<()>;
}
