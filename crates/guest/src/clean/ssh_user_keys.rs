//! Who may log in with a key, and the keys that people have themselves.

use super::{Cleaning, Operation};
use crate::Result;
use crate::system::homes::homes;

const FILES: &[&str] = &[
    "authorized_keys",
    "authorized_keys2",
    "known_hosts",
    "known_hosts.old",
    "known_hosts2",
    "id_*",
    "identity",
    "*.pem",
    "environment",
];

const ELSEWHERE: &[&str] = &["/etc/ssh/ssh_known_hosts", "/etc/ssh/authorized_keys/*"];

/// See [`Operation::summary`].
pub(crate) struct SshUserKeys;

impl Operation for SshUserKeys {
    fn name(&self) -> &'static str {
        "ssh_user_keys"
    }

    fn summary(&self) -> &'static str {
        "Remove authorized keys, private keys and known hosts of all users"
    }

    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()> {
        for home in homes(cleaning.edit.root)? {
            for name in FILES {
                cleaning.edit.remove(&format!("{home}/.ssh/{name}"))?;
            }
        }
        ELSEWHERE.iter().try_for_each(|pattern| cleaning.edit.remove(pattern))
    }
}
