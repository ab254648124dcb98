//! NetworkManager's profiles of one card.

use super::{Check, Outcome, Severity};
use crate::network::network_manager;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct NetworkManager;

impl Check for NetworkManager {
    fn id(&self) -> &'static str {
        "N7"
    }

    fn title(&self) -> &'static str {
        "NetworkManager has no profile of one card"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: network_interfaces"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !guest.root.exists("/etc/NetworkManager")? {
            return Ok(Outcome::Irrelevant("NetworkManager is not used"));
        }
        let bindings = network_manager::bindings(guest.root)?;
        Ok(Outcome::from_problems(bindings.iter().map(ToString::to_string)))
    }
}
