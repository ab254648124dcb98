//! SSH host keys: none in the image, and somebody who makes them.

use super::{Check, Outcome, Severity};
use crate::system::host_keys;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct HostKeys;

impl Check for HostKeys {
    fn id(&self) -> &'static str {
        "I1"
    }

    fn title(&self) -> &'static str {
        "There are no SSH host keys, and the first boot makes them"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "clean: ssh_host_keys; prepare: first_boot_keys"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut problems: Vec<String> = guest
            .root
            .glob("/etc/ssh/ssh_host_*key")?
            .iter()
            .map(|path| format!("{} is in the image", path.display()))
            .collect();
        if host_keys::has_server(guest.root)? && host_keys::maker(guest.root)?.is_none() {
            problems.push("nothing makes keys at the first boot".into());
        }
        Ok(Outcome::from_problems(problems))
    }
}
