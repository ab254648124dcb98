//! The way into an instance.

use super::{Check, Outcome, Severity};
use crate::prepare::packages::has_role;
use crate::system::services;
use crate::{Guest, Init, Result};

/// See [`Check::title`].
pub(super) struct SshServer;

impl Check for SshServer {
    fn id(&self) -> &'static str {
        "S1"
    }

    fn title(&self) -> &'static str {
        "An SSH server starts at boot"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: packages, with openssh-server, and services"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !has_role(guest.root, &guest.os, "openssh-server")? {
            return Ok(Outcome::Broken("openssh-server is not installed".into()));
        }
        if guest.os.init != Init::Systemd {
            return Ok(Outcome::Holds);
        }
        for unit in ["ssh.service", "sshd.service", "ssh.socket", "sshd.socket"] {
            if services::is_wanted(guest.root, unit)? {
                return Ok(Outcome::Holds);
            }
        }
        Ok(Outcome::Broken("neither ssh.service nor sshd.service is enabled".into()))
    }
}
