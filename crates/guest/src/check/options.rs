//! What a recipe may ask of the checks.

use serde::{Deserialize, Serialize};

use super::Verdict;

/// The table `[check]` of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Checks not to do, by their ids.
    pub skip: Vec<String>,
    /// From which verdict on the image is not to be used.
    pub fail_on: FailOn,
}

/// The mildest verdict that rejects an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// A warning rejects it, too.
    Warn,
    /// Only a failure does.
    #[default]
    Fail,
    /// Nothing does: the findings are only told.
    Never,
}

impl FailOn {
    pub(crate) fn rejects(self, verdict: Verdict) -> bool {
        match self {
            FailOn::Warn => matches!(verdict, Verdict::Warn | Verdict::Fail),
            FailOn::Fail => verdict == Verdict::Fail,
            FailOn::Never => false,
        }
    }
}
