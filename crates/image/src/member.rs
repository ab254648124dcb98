//! Projects that an image is shared with.

use serde::{Deserialize, Serialize};

use crate::names::named;
use crate::{ImageId, Timestamp};

named! {
    /// What a project said of an image that was offered to it.
    MemberStatus, "member status", {
        /// Not answered yet: the image is readable by id, but not listed.
        Pending = "pending",
        /// Accepted: the image is listed.
        Accepted = "accepted",
        /// Rejected: as pending, but said.
        Rejected = "rejected",
    }
}

/// A project that an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The image.
    pub image_id: ImageId,
    /// The project, by id.
    pub project: String,
    /// Its answer.
    pub status: MemberStatus,
    /// When the image was offered.
    pub created_at: Timestamp,
    /// When the answer last changed.
    pub updated_at: Timestamp,
}
