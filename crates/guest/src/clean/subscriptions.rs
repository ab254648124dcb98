//! What a machine bought its packages with.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/etc/pki/consumer/*",
    "/etc/pki/entitlement/*",
    "/var/lib/rhsm/*",
    "/etc/sysconfig/rhn/systemid*",
    "/etc/sysconfig/rhn/osad-auth.conf",
    "/etc/zypp/credentials.d/SCCcredentials",
    "/etc/zypp/credentials.d/NCCcredentials",
    "/etc/SUSEConnect",
];

/// See [`Operation::summary`].
pub(crate) struct Subscriptions;

impl Operation for Subscriptions {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn summary(&self) -> &'static str {
        "Remove the registration with Red Hat's and SUSE's package services"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
