//! A log-in where the console log is.

use super::{Check, Outcome, Severity};
use std::path::Path;

use crate::{Guest, Init, Result};
const UNIT: &str = "/etc/systemd/system/serial-getty@ttyS0.service";

/// See [`Check::title`].
pub(super) struct SerialLogin;

impl Check for SerialLogin {
    fn id(&self) -> &'static str {
        "B3"
    }

    fn title(&self) -> &'static str {
        "One can log in on the serial console"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: serial_console; unmask serial-getty@ttyS0.service"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        match guest.os.init {
            Init::Systemd => {
                let mask = guest.root.read_link(UNIT)?;
                let is_masked = mask.is_some_and(|link| link == Path::new("/dev/null"));
                Ok(Outcome::from_problems(is_masked.then(|| format!("{UNIT} is masked"))))
            }
            _ if guest.root.text("/etc/inittab")?.contains("getty") => {
                let inittab = guest.root.text("/etc/inittab")?;
                let has_port = |line: &str| !line.starts_with('#') && line.contains("ttyS0");
                let is_there = inittab.lines().any(has_port);
                Ok(Outcome::from_problems(
                    (!is_there).then(|| "/etc/inittab has no getty on ttyS0".to_owned()),
                ))
            }
            _ => Ok(Outcome::Irrelevant("init starts log-ins by itself")),
        }
    }
}
