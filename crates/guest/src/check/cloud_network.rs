//! Whether cloud-init is allowed to set up the network.

use super::{Check, Outcome, Severity};
use crate::system::cloud_init;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct CloudNetwork;

impl Check for CloudNetwork {
    fn id(&self) -> &'static str {
        "C7"
    }

    fn title(&self) -> &'static str {
        "cloud-init sets up the network"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn fix(&self) -> &'static str {
        "prepare: cloud_init; or remove network: {config: disabled} from the file in /etc/cloud/cloud.cfg.d"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !cloud_init::is_installed(guest.root)? {
            return Ok(Outcome::Irrelevant("cloud-init is not installed"));
        }
        let (settings, _) = cloud_init::settings(guest.root)?;
        let is_off = settings["network"]["config"] == "disabled";
        let problem = is_off.then(|| "network: {config: disabled} is set".to_owned());
        Ok(Outcome::from_problems(problem))
    }
}
