//! What binds a guest's network to one instance: a static address, a card's MAC. Each way of
//! configuring cards has a file here that finds its bindings, for the checks, and releases them,
//! for preparing and cleaning, so that the two never disagree.
//!
//! Left in an image, such a binding is what gives its clones two addresses: cloud-init adds DHCP
//! for a card that still has its old address.

pub(crate) mod ifcfg;
pub(crate) mod ifupdown;
pub(crate) mod netplan;
pub(crate) mod network_manager;
pub(crate) mod networkd;

use std::path::PathBuf;

use crate::{Edit, Result, Root};

/// A setting that fits one instance only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The file that has it.
    pub(crate) path: PathBuf,
    /// What it is, in words.
    pub(crate) what: String,
}

impl Binding {
    pub(crate) fn new(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Binding { path: path.into(), what: what.into() }
    }
}

impl std::fmt::Display for Binding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.path.display(), self.what)
    }
}

/// Who sets up the cards of an instance once the bindings are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruler {
    /// cloud-init, which writes the files that it needs.
    CloudInit,
    /// Nobody: the guest's own files must ask for DHCP.
    Guest,
}

impl Ruler {
    pub(crate) fn of(root: &Root) -> Result<Ruler> {
        let cloud_init = crate::system::cloud_init::rules_network(root)?;
        Ok(if cloud_init { Ruler::CloudInit } else { Ruler::Guest })
    }
}

/// Releases all bindings. Without cloud-init each card that had one is left on DHCP.
pub(crate) fn release(edit: &mut Edit<'_>) -> Result<()> {
    let ruler = Ruler::of(edit.root)?;
    ifupdown::release(edit, ruler)?;
    ifcfg::release(edit, ruler)?;
    netplan::release(edit, ruler)?;
    network_manager::release(edit, ruler)?;
    networkd::release(edit, ruler)
}

/// Whether a name is that of an Ethernet card, by the kernel's naming or udev's: `eth0`, `ens3`,
/// `enp1s0`, `eno1`, `enx…`, `em1`, `p2p1`.
pub(crate) fn is_card(name: &str) -> bool {
    let number = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain
        && (["eth", "em", "p"].iter().any(|start| name.strip_prefix(start).is_some_and(number))
            || ["eno", "enp", "ens", "enx", "enP"].iter().any(|start| name.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_known_by_their_names() {
        for name in ["eth0", "ens3", "enp1s0", "eno1", "enxfa163e5a5a01", "em1", "p2p1"] {
            assert!(is_card(name), "{name}");
        }
        for name in ["lo", "br0", "bond0", "eth0:1", "eth0.5", "ppp0", "docker0", "ethical"] {
            assert!(!is_card(name), "{name}");
        }
    }
}
