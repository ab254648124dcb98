//! What cloud-init does for an instance.

use super::{Check, Outcome, Severity};
use crate::prepare::root_growth;
use crate::system::cloud_init;
use crate::{Guest, Result};
/// With underscores: a list may also have `set-hostname`.
const MODULES: &[&str] =
    &["growpart", "resizefs", "set_hostname", "update_etc_hosts", "ssh", "users_groups"];

/// See [`Check::title`].
pub(super) struct CloudInitModules;

impl Check for CloudInitModules {
    fn id(&self) -> &'static str {
        "C5"
    }

    fn title(&self) -> &'static str {
        "cloud-init grows the root, sets the host name, makes keys and users"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: root_growth; restore the module lists of cloud.cfg"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !cloud_init::is_installed(guest.root)? {
            return Ok(Outcome::Irrelevant("cloud-init is not installed"));
        }
        let (settings, _) = cloud_init::settings(guest.root)?;
        let names: Vec<String> = cloud_init::module_names(&settings)
            .into_iter()
            .map(|name| name.replace('-', "_"))
            .collect();
        let mut problems: Vec<String> = MODULES
            .iter()
            .filter(|module| !names.iter().any(|name| name == *module))
            .map(|module| format!("module {module} is not in any list"))
            .collect();
        if root_growth::is_off(&settings) {
            problems.push("growpart is switched off".into());
        }
        Ok(Outcome::from_problems(problems))
    }
}
