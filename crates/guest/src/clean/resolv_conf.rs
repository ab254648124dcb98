//! The name servers of the old network.

use super::{Cleaning, Operation};
use crate::Result;
use crate::system::services;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What systemd-resolved recommends: `systemd-resolved.service(8)`, "/etc/resolv.conf".
const STUB: &str = "../run/systemd/resolve/stub-resolv.conf";

/// See [`Operation::summary`].
pub(crate) struct ResolvConf;

impl Operation for ResolvConf {
    fn name(&self) -> &'static str {
        "resolv_conf"
    }

    fn summary(&self) -> &'static str {
        "Forget the old network's name servers"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        let root = cleaning.edit.root;
        let is_link = root.read_link(RESOLV_CONF)?.is_some();
        if is_link || !root.is_file(RESOLV_CONF)? {
            return Ok(());
        }
        if services::is_enabled(root, "systemd-resolved.service")? {
            cleaning.edit.symlink(STUB, RESOLV_CONF)
        } else {
            cleaning.edit.write(RESOLV_CONF, "")
        }
    }
}
