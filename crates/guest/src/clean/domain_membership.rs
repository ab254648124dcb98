//! What makes a machine a member of a domain.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/etc/krb5.keytab",
    "/var/lib/sss/db/*",
    "/var/lib/sss/mc/*",
    "/var/lib/sss/pubconf/*",
    "/var/log/sssd/*",
    "/var/lib/ipa-client/sysrestore/*",
    "/var/lib/ipa-client/pki/*",
    "/etc/ipa/default.conf",
    "/var/lib/samba/private/secrets.tdb",
];

/// See [`Operation::summary`].
pub(crate) struct DomainMembership;

impl Operation for DomainMembership {
    fn name(&self) -> &'static str {
        "domain_membership"
    }

    fn summary(&self) -> &'static str {
        "Remove Kerberos host keys and the memberships of SSSD, IPA and Samba"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
