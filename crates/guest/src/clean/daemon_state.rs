//! What daemons remember from their last run.

use super::{Cleaning, Operation};
use crate::Result;

const FILES: &[&str] = &[
    "/var/lib/logrotate/status",
    "/var/lib/logrotate/logrotate.status",
    "/var/lib/logrotate.status",
    "/var/lib/rpcbind/*.xdr",
    "/var/lib/postfix/*.lock",
    "/var/lib/postfix/prng_exch",
    "/var/lib/systemd/timers/*",
    "/var/lib/systemd/clock",
    "/var/lib/systemd/timesync/clock",
    "/var/lib/systemd/rfkill/*",
    "/var/lib/systemd/catalog/database.old",
    "/var/lib/chrony/*",
    "/var/lib/ntp/ntp.drift",
    "/var/lib/ntp/drift",
    "/var/lib/sudo/lectured/*",
    "/var/lib/sudo/ts/*",
    "/var/db/sudo/*",
    "/var/lib/faillock/*",
    "/var/lib/nfs/rmtab",
    "/var/lib/nfs/etab",
    "/var/lib/nfs/xtab",
    "/var/lib/nfs/state",
    "/var/account/pacct*",
    "/var/log/account/pacct*",
    "/var/cache/samba/*",
    "/var/lib/dovecot/instances",
    "/var/lib/dovecot/ssl-parameters.dat",
];

/// See [`Operation::summary`].
pub(super) struct DaemonState;

impl Operation for DaemonState {
    fn name(&self) -> &'static str {
        "daemon_state"
    }

    fn summary(&self) -> &'static str {
        "Remove state that daemons make anew"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        FILES.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
