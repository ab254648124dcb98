//! What is mounted at boot: a file system that is not there stops it.

use super::{Check, Outcome, Severity};
use crate::formats::fstab;
use crate::{Guest, Result};
/// File systems of another machine.
const NETWORK: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "glusterfs", "ceph", "fuse.sshfs", "9p", "virtiofs"];

/// See [`Check::title`].
pub(super) struct FstabEntries;

impl Check for FstabEntries {
    fn id(&self) -> &'static str {
        "B6"
    }

    fn title(&self) -> &'static str {
        "All that fstab mounts is in the image, or may be missing"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "remove the entry from /etc/fstab, or add nofail"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        for entry in fstab::entries(&guest.root.text("/etc/fstab")?) {
            let may_miss = entry.has_option("nofail") || entry.has_option("noauto");
            if may_miss {
                continue;
            }
            if NETWORK.contains(&entry.kind) || entry.has_option("_netdev") {
                problems.push(format!("{} comes over the network", entry.place));
            } else if entry.is_swap_file() && !guest.root.is_file(entry.device)? {
                problems.push(format!("the swap file {} is missing", entry.device));
            } else if entry.place.starts_with('/') && !guest.root.is_directory(entry.place)? {
                problems.push(format!("the directory {} is missing", entry.place));
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
