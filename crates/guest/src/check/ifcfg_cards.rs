//! ifcfg files name no card's MAC or UUID.

use super::{Check, Outcome, Severity};
use crate::network::ifcfg::{Fault, bindings, is_used};
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct IfcfgCards;

impl Check for IfcfgCards {
    fn id(&self) -> &'static str {
        "N4"
    }

    fn title(&self) -> &'static str {
        "ifcfg files name no card's MAC or UUID"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: network_interfaces"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !is_used(guest.root)? {
            return Ok(Outcome::Irrelevant("ifcfg files are not used"));
        }
        let bindings = bindings(guest.root)?;
        let faults = bindings.iter().filter(|(fault, _)| *fault == Fault::Card);
        Ok(Outcome::from_problems(faults.map(|(_, binding)| binding.to_string())))
    }
}
