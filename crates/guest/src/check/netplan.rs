//! Addresses and MACs in netplan's files.

use super::{Check, Outcome, Severity};
use crate::network::netplan;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Netplan;

impl Check for Netplan {
    fn id(&self) -> &'static str {
        "N6"
    }

    fn title(&self) -> &'static str {
        "netplan holds no address or MAC of the old instance"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: network_interfaces"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !guest.root.exists("/etc/netplan")? {
            return Ok(Outcome::Irrelevant("netplan is not used"));
        }
        let bindings = netplan::bindings(guest.root)?;
        Ok(Outcome::from_problems(bindings.iter().map(ToString::to_string)))
    }
}
