//! The console that a cloud shows.

use super::{Check, Outcome, Severity};
use crate::prepare::serial_console::consoles;
use crate::system::boot;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct SerialConsole;

impl Check for SerialConsole {
    fn id(&self) -> &'static str {
        "B1"
    }

    fn title(&self) -> &'static str {
        "The kernel speaks on the serial port"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "prepare: serial_console"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let Some(port) = consoles(guest.os.architecture.as_deref()).last() else {
            return Ok(Outcome::Irrelevant("the machine has one console"));
        };
        let port = port.split(',').next().unwrap_or(port);
        let lines = boot::lines(guest.root)?;
        if lines.is_empty() {
            return Ok(Outcome::Irrelevant("no boot loader's files are in the guest"));
        }
        // The last console is the one that init and cloud-init write to.
        let is_silent = |line: &&boot::Line| {
            let last = line.arguments.split_whitespace().rfind(|word| word.starts_with("console="));
            last.is_none_or(|last| last.split(',').next() != Some(port))
        };
        let silent = lines.iter().filter(is_silent).map(|line| line.path.clone());
        let files: std::collections::BTreeSet<_> = silent.collect();
        Ok(Outcome::from_problems(
            files.iter().map(|file| format!("{}: the last console is not {port}", file.display())),
        ))
    }
}
