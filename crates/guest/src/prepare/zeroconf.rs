//! The route to 169.254.0.0/16 that the Red Hat family's network scripts add: it hides the metadata service.

use super::{Operation, Preparation};
use crate::Result;
use crate::formats::assignments;
/// A directory on SUSE, where there is no such route.
pub(crate) const FILE: &str = "/etc/sysconfig/network";

pub(crate) const KEY: &str = "NOZEROCONF";

/// See [`Operation::summary`].
pub(super) struct Zeroconf;

impl Operation for Zeroconf {
    fn name(&self) -> &'static str {
        "zeroconf"
    }

    fn summary(&self) -> &'static str {
        "Keep the route to the metadata service free"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        preparation.edit.rewrite(FILE, |text| match assignments::get(text, KEY).as_deref() {
            Some("yes") => text.into(),
            _ => assignments::set(text, KEY, "yes"),
        })
    }
}
