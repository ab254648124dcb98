//! Where cloud-init looks for its data: it waits for each in vain.

use super::{Check, Outcome, Severity};
use crate::system::cloud_init;
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Datasources;

impl Check for Datasources {
    fn id(&self) -> &'static str {
        "C3"
    }

    fn title(&self) -> &'static str {
        "cloud-init knows its data sources, OpenStack's among them"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: datasources"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !cloud_init::is_installed(guest.root)? {
            return Ok(Outcome::Irrelevant("cloud-init is not installed"));
        }
        let (settings, _) = cloud_init::settings(guest.root)?;
        let Some(list) = settings["datasource_list"].as_array() else {
            return Ok(Outcome::Broken("there is no datasource_list: it tries them all".into()));
        };
        let has = |name: &str| list.iter().any(|source| source == name);
        let problem = (!has("OpenStack") && !has("ConfigDrive"))
            .then(|| "datasource_list has neither OpenStack nor ConfigDrive".to_owned());
        Ok(Outcome::from_problems(problem))
    }
}
