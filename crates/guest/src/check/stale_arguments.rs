//! Words on the kernel's command line that suit the old machine.

use super::{Check, Outcome, Severity};
use crate::system::boot;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct StaleArguments;

impl Check for StaleArguments {
    fn id(&self) -> &'static str {
        "B10"
    }

    fn title(&self) -> &'static str {
        "The kernel waits for no disk to resume from, and sets no memory aside"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "remove the word from /etc/default/grub and the boot loader's files"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems = std::collections::BTreeSet::new();
        for line in boot::lines(guest.root)? {
            for word in line.arguments.split_whitespace() {
                if word.starts_with("resume=") || word == "crashkernel=auto" {
                    problems.insert(format!("{}: {word}", line.path.display()));
                }
            }
        }
        Ok(Outcome::from_problems(problems))
    }
}
