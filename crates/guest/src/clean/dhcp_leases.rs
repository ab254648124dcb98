//! What DHCP clients remember: leases, and the identifiers that they send.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/lib/dhcp/*.lease*",
    "/var/lib/dhcp/*.leases*",
    "/var/lib/dhcp3/*",
    "/var/lib/dhclient/*",
    "/var/lib/dhcpcd/*",
    "/var/lib/dhcpcd5/*",
    "/var/lib/dhcpv6/*",
    "/var/db/dhcpcd*",
    "/etc/dhcpcd.duid",
    "/etc/dhcpcd.secret",
    "/var/lib/NetworkManager/*.lease",
    "/var/lib/NetworkManager/secret_key",
    "/var/lib/NetworkManager/timestamps",
    "/var/lib/NetworkManager/seen-bssids",
    "/var/lib/systemd/network/*",
    "/var/lib/wicked/*",
    "/var/lib/dhcp/db/*",
];

/// See [`Operation::summary`].
pub(crate) struct DhcpLeases;

impl Operation for DhcpLeases {
    fn name(&self) -> &'static str {
        "dhcp_leases"
    }

    fn summary(&self) -> &'static str {
        "Remove DHCP leases and client identifiers"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
