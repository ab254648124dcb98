//! The keys by which a host is known: clones must not share them.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/etc/ssh/ssh_host_*key",
    "/etc/ssh/ssh_host_*key.pub",
    "/etc/ssh/ssh_host_*-cert.pub",
    "/etc/dropbear/dropbear_*_host_key",
];

/// See [`Operation::summary`].
pub(crate) struct SshHostKeys;

impl Operation for SshHostKeys {
    fn name(&self) -> &'static str {
        "ssh_host_keys"
    }

    fn summary(&self) -> &'static str {
        "Remove the SSH host keys; the first boot makes new ones"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
