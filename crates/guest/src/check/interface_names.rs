//! Names of cards: `eth0` or `ens3`, as the kernel is told.

use super::{Check, Outcome, Severity};
use crate::network::ifcfg;
use crate::system::{boot, cloud_init};
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct InterfaceNames;

impl Check for InterfaceNames {
    fn id(&self) -> &'static str {
        "N13"
    }

    fn title(&self) -> &'static str {
        "Configured cards have the names that the kernel will give them"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "name the file and its DEVICE after the card, or add net.ifnames=0 to the kernel's command line"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if cloud_init::rules_network(guest.root)? {
            return Ok(Outcome::Irrelevant("cloud-init names the cards"));
        }
        let lines = boot::lines(guest.root)?;
        let booted: Vec<_> = lines.iter().filter(|line| line.is_booted).collect();
        let cards = ifcfg::cards(guest.root)?;
        if booted.is_empty() || cards.is_empty() {
            return Ok(Outcome::Irrelevant("no card is named by a file"));
        }
        let is_classic = booted.iter().all(|line| line.has("net.ifnames=0"));
        let wrong = cards.into_iter().filter(|name| name.starts_with("eth") != is_classic);
        let expected = if is_classic { "eth0" } else { "ens3 or the like" };
        Ok(Outcome::from_problems(
            wrong.map(|name| format!("{name} is configured, the card will be {expected}")),
        ))
    }
}
