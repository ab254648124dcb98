//! What the image still has of an instance. A rehearsal of the cleaning finds it, so that checks
//! and cleaning cannot disagree.

use super::{Check, Outcome, Severity};
use crate::clean::{self, Cleaning, Operation};
use crate::{Guest, Result};

/// How many paths are told; the others are counted.
const TOLD: usize = 4;

/// A check that some operations would find nothing to clean.
pub(super) struct Leftovers {
    id: &'static str,
    title: &'static str,
    severity: Severity,
    fix: &'static str,
    operations: &'static [&'static dyn Operation],
}

impl Check for Leftovers {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn severity(&self) -> Severity {
        self.severity
    }

    fn fix(&self) -> &'static str {
        self.fix
    }

    fn look(&self, guest: &Guest<'_>) -> Result<Outcome> {
        let mut cleaning = Cleaning::rehearsal(guest.root, &guest.os);
        for operation in self.operations {
            operation.clean(&mut cleaning)?;
        }
        let paths = cleaning.edit.into_changed();
        if paths.is_empty() {
            return Ok(Outcome::Holds);
        }
        let more = match paths.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Ok(Outcome::Broken(format!("{}{more}", paths[..paths.len().min(TOLD)].join(", "))))
    }
}

pub(super) const N5: Leftovers = Leftovers {
    id: "N5",
    title: "No udev rule names a card by its MAC",
    severity: Severity::Error,
    fix: "clean: persistent_net",
    operations: &[&clean::persistent_net::PersistentNet],
};

pub(super) const N10: Leftovers = Leftovers {
    id: "N10",
    title: "There are no DHCP leases and client identifiers",
    severity: Severity::Warning,
    fix: "clean: dhcp_leases",
    operations: &[&clean::dhcp_leases::DhcpLeases],
};

pub(super) const N14: Leftovers = Leftovers {
    id: "N14",
    title: "No name server of the old network is left",
    severity: Severity::Warning,
    fix: "clean: resolv_conf",
    operations: &[&clean::resolv_conf::ResolvConf],
};

pub(super) const C2: Leftovers = Leftovers {
    id: "C2",
    title: "cloud-init remembers no instance",
    severity: Severity::Error,
    fix: "clean: cloud_init",
    operations: &[&clean::cloud_init::CloudInit],
};

pub(super) const I2: Leftovers = Leftovers {
    id: "I2",
    title: "No key of the builders opens the image",
    severity: Severity::Error,
    fix: "clean: ssh_user_keys",
    operations: &[&clean::ssh_user_keys::SshUserKeys],
};

pub(super) const I4: Leftovers = Leftovers {
    id: "I4",
    title: "No credentials are in home directories",
    severity: Severity::Error,
    fix: "clean: user_secrets",
    operations: &[&clean::user_secrets::UserSecrets],
};

pub(super) const I5: Leftovers = Leftovers {
    id: "I5",
    title: "There are no histories",
    severity: Severity::Warning,
    fix: "clean: histories",
    operations: &[&clean::histories::Histories],
};

pub(super) const I7: Leftovers = Leftovers {
    id: "I7",
    title: "The old host name is nowhere",
    severity: Severity::Warning,
    fix: "clean: hostname_hosts",
    operations: &[&clean::hostname_hosts::HostnameHosts],
};

pub(super) const I8: Leftovers = Leftovers {
    id: "I8",
    title: "No random seed is shared",
    severity: Severity::Warning,
    fix: "clean: random_seed",
    operations: &[&clean::random_seed::RandomSeed],
};

pub(super) const I9: Leftovers = Leftovers {
    id: "I9",
    title: "No storage identity is shared",
    severity: Severity::Warning,
    fix: "clean: storage_ids",
    operations: &[&clean::storage_ids::StorageIds],
};

pub(super) const I10: Leftovers = Leftovers {
    id: "I10",
    title: "No agent, subscription or domain knows the image",
    severity: Severity::Warning,
    fix: "clean: agent_identities, subscriptions, domain_membership",
    operations: &[
        &clean::agent_identities::AgentIdentities,
        &clean::subscriptions::Subscriptions,
        &clean::domain_membership::DomainMembership,
    ],
};

pub(super) const D3: Leftovers = Leftovers {
    id: "D3",
    title: "No logs, dumps, caches and temporary files are left",
    severity: Severity::Warning,
    fix: "clean: logs, crash_dumps, installer_leftovers, package_caches, cron_spool, mail_spool, tmp_files, swapfile",
    operations: &[
        &clean::logs::Logs,
        &clean::crash_dumps::CrashDumps,
        &clean::installer_leftovers::InstallerLeftovers,
        &clean::package_caches::PackageCaches,
        &clean::cron_spool::CronSpool,
        &clean::mail_spool::MailSpool,
        &clean::tmp_files::TmpFiles,
        &clean::swapfile::Swapfile,
    ],
};
