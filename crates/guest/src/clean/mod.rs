//! Removing what belongs to one instance. One file for each operation; [`ALL`] is their list.

pub(crate) mod agent_identities;
mod backup_files;
pub(crate) mod cloud_init;
pub(crate) mod crash_dumps;
pub(crate) mod cron_spool;
mod daemon_state;
pub(crate) mod dhcp_leases;
pub(crate) mod domain_membership;
pub(crate) mod histories;
pub(crate) mod hostname_hosts;
pub(crate) mod installer_leftovers;
pub(crate) mod logs;
pub(crate) mod machine_id;
pub(crate) mod mail_spool;
mod network_interfaces;
mod options;
pub(crate) mod package_caches;
pub(crate) mod password_backups;
mod passwords;
pub(crate) mod persistent_net;
pub(crate) mod random_seed;
pub(crate) mod resolv_conf;
pub(crate) mod ssh_host_keys;
pub(crate) mod ssh_user_keys;
pub(crate) mod storage_ids;
pub(crate) mod subscriptions;
pub(crate) mod swapfile;
pub(crate) mod tmp_files;
mod user_caches;
pub(crate) mod user_secrets;

use crate::edit::known;
use crate::{Edit, Os, Result, Root};

pub use options::Options;

/// All operations, in the order in which they are done.
pub const ALL: &[&dyn Operation] = &[
    &machine_id::MachineId,
    &ssh_host_keys::SshHostKeys,
    &hostname_hosts::HostnameHosts,
    // Before the network: what it removes may let cloud-init rule the cards again.
    &cloud_init::CloudInit,
    &network_interfaces::NetworkInterfaces,
    &persistent_net::PersistentNet,
    &dhcp_leases::DhcpLeases,
    &resolv_conf::ResolvConf,
    &random_seed::RandomSeed,
    &storage_ids::StorageIds,
    &ssh_user_keys::SshUserKeys,
    &user_secrets::UserSecrets,
    &histories::Histories,
    &user_caches::UserCaches,
    &agent_identities::AgentIdentities,
    &subscriptions::Subscriptions,
    &domain_membership::DomainMembership,
    &installer_leftovers::InstallerLeftovers,
    &password_backups::PasswordBackups,
    &logs::Logs,
    &crash_dumps::CrashDumps,
    &cron_spool::CronSpool,
    &mail_spool::MailSpool,
    &daemon_state::DaemonState,
    &package_caches::PackageCaches,
    &tmp_files::TmpFiles,
    &swapfile::Swapfile,
    &backup_files::BackupFiles,
    &passwords::Passwords,
];

/// One kind of trace to remove. To add one: a file here, and a line in [`ALL`].
pub trait Operation: Sync {
    /// Its name in options and reports.
    fn name(&self) -> &'static str;
    /// What it does, in a line.
    fn summary(&self) -> &'static str;
    /// Whether it is done without being asked for.
    fn by_default(&self) -> bool {
        true
    }
    /// Does it. A second time it changes nothing.
    ///
    /// # Errors
    /// If the guest cannot be changed so.
    fn clean(&self, cleaning: &mut Cleaning<'_>) -> Result<()>;
}

/// What an operation works with.
#[derive(Debug)]
pub struct Cleaning<'a> {
    /// Changes the guest's files.
    pub edit: Edit<'a>,
    /// What the guest is.
    pub os: &'a Os,
}

impl<'a> Cleaning<'a> {
    /// A cleaning that leaves what matches the patterns.
    pub fn new(root: &'a Root, os: &'a Os, keep: &'a [String]) -> Self {
        Cleaning { edit: Edit::new(root, keep), os }
    }

    /// A cleaning that only tells what it would change.
    pub fn rehearsal(root: &'a Root, os: &'a Os) -> Self {
        Cleaning { edit: Edit::rehearsal(root), os }
    }
}

impl Options {
    /// Whether the names in `skip` and `also` are those of operations.
    ///
    /// # Errors
    /// [`Error::UnknownName`](crate::Error::UnknownName).
    pub fn validate(&self) -> Result<()> {
        let names = || ALL.iter().map(|operation| operation.name());
        self.skip
            .iter()
            .chain(&self.also)
            .try_for_each(|name| known("clean operation", name, names()))
    }

    /// Whether an operation is to be done.
    pub fn wants(&self, operation: &dyn Operation) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == operation.name());
        !named(&self.skip) && (operation.by_default() || named(&self.also))
    }
}
