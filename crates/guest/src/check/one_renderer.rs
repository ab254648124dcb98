//! Who starts DHCP clients: two of them get two leases for one card.

use super::{Check, Outcome, Severity};
use crate::system::{cloud_init, services};
use crate::{Guest, Result, Root};
/// A unit, and whether it would do anything here.
type Renderer = (&'static str, fn(&Root) -> Result<bool>);

const RENDERERS: &[Renderer] = &[
    ("networking.service", has_stanzas),
    ("NetworkManager.service", |_| Ok(true)),
    ("systemd-networkd.service", has_network_files),
    ("network.service", |_| Ok(true)),
    ("wicked.service", |_| Ok(true)),
    ("dhcpcd.service", |_| Ok(true)),
];

/// See [`Check::title`].
pub(super) struct OneRenderer;

impl Check for OneRenderer {
    fn id(&self) -> &'static str {
        "N9"
    }

    fn title(&self) -> &'static str {
        "Only one service sets up network cards"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "disable all but one: systemctl disable NAME in the guest"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut active = Vec::new();
        for (unit, acts) in RENDERERS {
            if services::is_enabled(guest.root, unit)? && acts(guest.root)? {
                active.push(unit.trim_end_matches(".service"));
            }
        }
        if active.len() > 1 {
            return Ok(Outcome::Broken(format!("{} are enabled", active.join(" and "))));
        }
        Ok(Outcome::Holds)
    }
}

/// ifupdown leaves alone what no stanza names; cloud-init will add one.
fn has_stanzas(root: &Root) -> Result<bool> {
    let text = root.text("/etc/network/interfaces")?;
    let is_card = |line: &str| line.trim().starts_with("iface") && !line.contains("loopback");
    Ok(text.lines().any(is_card)
        || (cloud_init::rules_network(root)? && !root.exists("/etc/netplan")?))
}

/// networkd touches only cards that a file matches; netplan makes such files.
fn has_network_files(root: &Root) -> Result<bool> {
    Ok(!root.glob("/etc/systemd/network/*.network")?.is_empty()
        || !root.glob("/etc/netplan/*.yaml")?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_enabled_services_that_both_act_are_too_many() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for unit in ["NetworkManager.service", "systemd-networkd.service"] {
            let text = "[Install]\nWantedBy=multi-user.target\n";
            root.write(format!("/usr/lib/systemd/system/{unit}"), text).unwrap();
            let wants = format!("/etc/systemd/system/multi-user.target.wants/{unit}");
            root.symlink(format!("/usr/lib/systemd/system/{unit}"), wants).unwrap();
        }
        let look = || OneRenderer.look(&Guest::new(&root).unwrap()).unwrap();
        assert_eq!(look(), Outcome::Holds);
        root.write("/etc/systemd/network/a.network", "[Network]\nDHCP=yes\n").unwrap();
        assert!(matches!(look(), Outcome::Broken(_)));
    }
}
