//! Properties that operators give to imported images (`inject_image_metadata`).

use std::collections::BTreeMap;

use identity::Caller;

use super::plugins::is_enabled;
use super::settings::ImportSettings;

/// The namespace of properties that the service keeps for itself.
const RESERVED: &str = "os_glance";

/// Whether this caller's images get them: decided when the import is asked for, since whoever takes
/// its task over knows no roles.
pub(super) fn concerns(settings: &ImportSettings, caller: &Caller) -> bool {
    is_enabled(&settings.plugins, "inject_image_metadata")
        && !settings.ignore_roles.iter().any(|role| caller.has_role(role))
}

/// The properties that an image gets.
pub(super) fn properties(settings: &ImportSettings) -> BTreeMap<String, String> {
    let ours = settings.inject.iter().filter(|(name, _)| !name.starts_with(RESERVED));
    ours.map(|(name, value)| (name.clone(), value.clone())).collect()
}
