//! The clock: tokens and certificates depend on it.

use super::{Check, Outcome, Severity};
use crate::system::services;
use crate::{Guest, Init, Result};
const UNITS: &[&str] = &[
    "chrony.service",
    "chronyd.service",
    "systemd-timesyncd.service",
    "ntpsec.service",
    "ntp.service",
    "ntpd.service",
    "openntpd.service",
];

/// See [`Check::title`].
pub(super) struct TimeService;

impl Check for TimeService {
    fn id(&self) -> &'static str {
        "C14"
    }

    fn title(&self) -> &'static str {
        "The clock is kept right"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, with chrony or systemd-timesyncd"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if guest.os.init != Init::Systemd {
            return Ok(Outcome::Irrelevant("only systemd's units are known here"));
        }
        for unit in UNITS {
            if services::is_enabled(guest.root, unit)? {
                return Ok(Outcome::Holds);
            }
        }
        Ok(Outcome::Broken("no time service is enabled".into()))
    }
}
