//! The route to 169.254.0.0/16, in which the metadata service is.

use super::{Check, Outcome, Severity};
use crate::formats::assignments;
use crate::prepare::zeroconf::{FILE, KEY};
use crate::{Guest, Result};

/// See [`Check::title`].
pub(super) struct Zeroconf;

impl Check for Zeroconf {
    fn id(&self) -> &'static str {
        "N12"
    }

    fn title(&self) -> &'static str {
        "No zeroconf route hides the metadata service"
    }

    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn fix(&self) -> &'static str {
        "prepare: zeroconf"
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        if !guest.root.is_file(FILE)? {
            return Ok(Outcome::Irrelevant("the distribution adds no such route"));
        }
        let value = assignments::get(&guest.root.text(FILE)?, KEY).unwrap_or_default();
        let is_set = matches!(value.as_str(), "yes" | "true");
        let problem = (!is_set).then(|| format!("{FILE} does not say {KEY}=yes"));
        Ok(Outcome::from_problems(problem))
    }
}
