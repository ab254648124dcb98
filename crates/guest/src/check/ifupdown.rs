//! Addresses and MACs in `/etc/network/interfaces`.

use super::{Check, Outcome, Severity};
use crate::network::ifupdown;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Ifupdown;

impl Check for Ifupdown {
    fn id(&self) -> &'static str {
        "N1"
    }

    fn title(&self) -> &'static str {
        "ifupdown gives no card an address that cloud-init also configures"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: network_interfaces"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !guest.root.exists("/etc/network/interfaces")? {
            return Ok(Outcome::Irrelevant("ifupdown is not used"));
        }
        let bindings = ifupdown::bindings(guest.root)?;
        Ok(Outcome::from_problems(bindings.iter().map(ToString::to_string)))
    }
}
