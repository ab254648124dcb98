//! Addresses and MACs in systemd-networkd's files.

use super::{Check, Outcome, Severity};
use crate::network::networkd;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Networkd;

impl Check for Networkd {
    fn id(&self) -> &'static str {
        "N8"
    }

    fn title(&self) -> &'static str {
        "systemd-networkd and udev have no file for one card or address"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: network_interfaces"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !guest.root.exists("/etc/systemd/network")? {
            return Ok(Outcome::Irrelevant("there are no such files"));
        }
        let bindings = networkd::bindings(guest.root)?;
        Ok(Outcome::from_problems(bindings.iter().map(ToString::to_string)))
    }
}
