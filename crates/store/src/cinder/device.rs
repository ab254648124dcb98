//! Volumes as this host uses them, by the way in which Cinder lets it reach them.

mod rbd;

use serde_json::Value;

use super::attachment::ConnectionInfo;
use super::session::Session;
use crate::Result;
use crate::rbd::Volume;

pub(super) use self::rbd::Clusters;

/// A volume that can be used: an image in a Ceph cluster, which needs nothing of the kernel.
pub(super) type Device = Volume;

/// Everything that volumes are reached by.
pub(super) struct Devices {
    pub(super) clusters: Clusters,
}

impl Devices {
    /// Comes to use a volume. Errors: `Unavailable` for a way that this host can't go.
    pub(super) fn connect(&self, session: &Session, to: &ConnectionInfo) -> Result<Device> {
        if to.data.get("encrypted") == Some(&Value::Bool(true)) {
            let why = "the volume is encrypted: images need a volume type that is not";
            return Err(session.failing(why));
        }
        match to.kind.as_str() {
            "rbd" => self.clusters.volume(session, to),
            kind => Err(session.failing(format!(
                "the volume is reached by '{kind}': volumes of Ceph (rbd) are used, and no others"
            ))),
        }
    }
}
