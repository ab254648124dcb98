//! The time zone.

use super::{Operation, Preparation};
use crate::{Error, Result};
const ZONES: &str = "/usr/share/zoneinfo";

const LOCALTIME: &str = "/etc/localtime";

/// Debian's copy of the name.
const NAME: &str = "/etc/timezone";

/// See [`Operation::summary`].
pub(super) struct Timezone;

impl Operation for Timezone {
    fn name(&self) -> &'static str {
        "timezone"
    }

    fn summary(&self) -> &'static str {
        "Set the time zone"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let Some(zone) = &preparation.options.timezone else { return Ok(()) };
        let edit = &mut preparation.edit;
        let is_name = zone.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !is_name || !edit.root.is_file(format!("{ZONES}/{zone}"))? {
            return Err(Error::Impossible(format!("the guest knows no time zone \"{zone}\"")));
        }
        edit.symlink(format!("{ZONES}/{zone}"), LOCALTIME)?;
        edit.rewrite(NAME, |_| format!("{zone}\n"))
    }
}
