//! sshd's questions for clients' names: a log-in waits for name servers that are not there.

use super::{Check, Outcome, Severity};
use crate::formats::sshd_config;
use crate::{Guest, Result};
const FILE: &str = "/etc/ssh/sshd_config";

/// See [`Check::title`].
pub(super) struct NameLookups;

impl Check for NameLookups {
    fn id(&self) -> &'static str {
        "S2"
    }

    fn title(&self) -> &'static str {
        "sshd does not look up its clients' names"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "write UseDNS no in /etc/ssh/sshd_config"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        // OpenSSH's own default is no, since 6.8.
        let asks = sshd_config::get(&guest.root.text(FILE)?, "UseDNS") == Some("yes");
        Ok(Outcome::from_problems(asks.then(|| format!("{FILE} says UseDNS yes"))))
    }
}
