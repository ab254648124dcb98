//! What a recipe may ask of a cleaning.

use serde::{Deserialize, Serialize};

/// The table `[clean]` of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Operations not to do, by their names.
    pub skip: Vec<String>,
    /// Operations that are not done by default, but here.
    pub also: Vec<String>,
    /// Paths from the guest's root that stay as they are, with all below them; `*` and `?` match
    /// within a name.
    pub keep: Vec<String>,
}
