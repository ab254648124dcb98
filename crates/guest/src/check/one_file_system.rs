//! The layout of the disk: only the root grows.

use super::{Check, Outcome, Severity};
use crate::formats::fstab;
use crate::{Guest, Result};
const OWN: &[&str] = &["/home", "/var", "/usr", "/opt", "/srv", "/tmp", "/var/log", "/var/lib"];

/// See [`Check::title`].
pub(super) struct OneFileSystem;

impl Check for OneFileSystem {
    fn id(&self) -> &'static str {
        "C10"
    }

    fn title(&self) -> &'static str {
        "All is on one file system, and there is no swap"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "install on one partition, without swap"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let table = guest.root.text("/etc/fstab")?;
        let apart = fstab::entries(&table)
            .filter(|entry| entry.kind == "swap" || OWN.contains(&entry.place));
        Ok(Outcome::from_problems(apart.map(|entry| match entry.kind {
            "swap" => format!("{} is swap", entry.device),
            _ => format!("{} is a file system of its own", entry.place),
        })))
    }
}
