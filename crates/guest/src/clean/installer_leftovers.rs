//! What an installer leaves: its answers, with passwords, and its log.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/root/anaconda-ks.cfg",
    "/root/initial-setup-ks.cfg",
    "/root/original-ks.cfg",
    "/root/install.log",
    "/root/install.log.syslog",
    "/root/ks-post.log",
    "/root/.autoyast*",
    "/var/adm/autoinstall",
    "/var/lib/autoinstall",
    "/var/log/anaconda",
    "/var/log/installer",
    "/var/log/YaST2",
    "/var/lib/subiquity",
];

/// See [`Operation::summary`].
pub(crate) struct InstallerLeftovers;

impl Operation for InstallerLeftovers {
    fn name(&self) -> &'static str {
        "installer_leftovers"
    }

    fn summary(&self) -> &'static str {
        "Remove installers' answer files and logs"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
