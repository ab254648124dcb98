//! Removing what belongs to one instance. One file for each operation; [`ALL`] is their list.

mod agent_identities;
mod backup_files;
mod cloud_init;
mod crash_dumps;
mod cron_spool;
mod daemon_state;
mod dhcp_leases;
mod domain_membership;
mod histories;
mod hostname_hosts;
mod installer_leftovers;
mod logs;
mod machine_id;
mod mail_spool;
mod network_interfaces;
mod options;
mod package_caches;
mod password_backups;
mod passwords;
mod persistent_net;
mod random_seed;
mod resolv_conf;
mod ssh_host_keys;
mod ssh_user_keys;
mod storage_ids;
mod subscriptions;
mod swapfile;
mod tmp_files;
mod user_caches;
mod user_secrets;

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
