//! What grows a root partition and the file system in it.

use super::{Check, Outcome, Severity};
use crate::formats::fstab;
use crate::prepare::packages::has_role;
use crate::{Guest, Result};
/// What grows a file system.
const TOOLS: &[(&str, &str)] = &[
    ("ext2", "resize2fs"),
    ("ext3", "resize2fs"),
    ("ext4", "resize2fs"),
    ("xfs", "xfs_growfs"),
    ("btrfs", "btrfs"),
];

/// See [`Check::title`].
pub(super) struct GrowthTools;

impl Check for GrowthTools {
    fn id(&self) -> &'static str {
        "C8"
    }

    fn title(&self) -> &'static str {
        "The tools that grow the root are installed"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, with growpart; install e2fsprogs, xfsprogs or btrfs-progs"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = Vec::new();
        if !has_role(guest.root, &guest.os, "growpart")? {
            problems.push("growpart is not installed".to_owned());
        }
        let table = guest.root.text("/etc/fstab")?;
        let root = fstab::entries(&table).find(|entry| entry.place == "/");
        let tool = root.and_then(|root| TOOLS.iter().find(|(kind, _)| *kind == root.kind));
        if let Some((kind, tool)) = tool {
            let mut found = false;
            for directory in ["/sbin", "/usr/sbin", "/usr/bin"] {
                found |= guest.root.is_file(format!("{directory}/{tool}"))?;
            }
            if !found {
                problems.push(format!("{tool} is not installed, and the root is {kind}"));
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
