//! What a project uses.

use serde::{Deserialize, Serialize};

/// What the images of one project take, as Glance counts it for its quotas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes in stores; an image that is in several counts for each.
    pub stored: u64,
    /// Bytes in staging areas.
    pub staged: u64,
    /// Images, also those without bytes.
    pub images: u64,
    /// Images whose bytes are being received, imported or copied.
    pub uploading: u64,
}

/// How many bytes the images of one project may take in stores, whatever else is uploaded at the
/// same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The project.
    pub owner: Option<String>,
    /// Bytes at most.
    pub bytes: u64,
}
