//! Where cloud-init looks for an instance's data.

use super::{Operation, Preparation};
use crate::Result;
use crate::system::cloud_init::{DROP_INS, is_installed, settings};
/// Later than Debian's `90_dpkg.cfg`. On one line: `ds-identify` reads it without a YAML parser.
const FILE: &str = "99-tintype-datasources.cfg";

/// See [`Operation::summary`].
pub(super) struct Datasources;

impl Operation for Datasources {
    fn name(&self) -> &'static str {
        "datasources"
    }

    fn summary(&self) -> &'static str {
        "Tell cloud-init which data sources there are"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let wanted = &preparation.options.datasources;
        if wanted.is_empty() || !is_installed(preparation.edit.root)? {
            return Ok(());
        }
        let (settings, _) = settings(preparation.edit.root)?;
        if settings["datasource_list"] == serde_json::json!(wanted) {
            return Ok(());
        }
        let text = format!("datasource_list: [ {} ]\n", wanted.join(", "));
        preparation.edit.write(format!("{DROP_INS}/{FILE}"), text)
    }
}
