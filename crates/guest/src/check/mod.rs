//! Judging a guest by its files, without changing anything. One file for each check, and one for
//! all that a cleaning would find; [`ALL`] is their list.

mod accounts;
mod boot_menu;
mod builder_network;
mod cloud_config_syntax;
mod cloud_init;
mod cloud_init_modules;
mod cloud_network;
mod datasources;
mod empty_passwords;
mod file_modes;
mod fstab_entries;
mod growth_tools;
mod guest_agent;
mod host_keys;
mod ifcfg_addresses;
mod ifcfg_cards;
mod ifcfg_extra;
mod ifupdown;
mod interface_names;
mod kernel;
mod known_passwords;
mod leftovers;
mod machine_id;
mod name_lookups;
mod netplan;
mod network_manager;
mod networkd;
mod one_file_system;
mod one_renderer;
mod options;
mod power_button;
mod serial_console;
mod serial_login;
mod ssh_server;
mod stable_devices;
mod stale_arguments;
mod time_service;
mod verbose_boot;
mod zeroconf;

use serde::{Deserialize, Serialize};

use crate::edit::known;
use crate::{Guest, Result};

pub use options::{FailOn, Options};

/// All checks, in the order in which they are told.
pub const ALL: &[&dyn Check] = &[
    &ifupdown::Ifupdown,
    &ifcfg_addresses::IfcfgAddresses,
    &ifcfg_extra::IfcfgExtra,
    &ifcfg_cards::IfcfgCards,
    &leftovers::N5,
    &netplan::Netplan,
    &network_manager::NetworkManager,
    &networkd::Networkd,
    &one_renderer::OneRenderer,
    &leftovers::N10,
    &machine_id::MachineId,
    &zeroconf::Zeroconf,
    &interface_names::InterfaceNames,
    &leftovers::N14,
    &cloud_init::CloudInit,
    &leftovers::C2,
    &datasources::Datasources,
    &cloud_init_modules::CloudInitModules,
    &cloud_config_syntax::CloudConfigSyntax,
    &cloud_network::CloudNetwork,
    &growth_tools::GrowthTools,
    &one_file_system::OneFileSystem,
    &guest_agent::GuestAgent,
    &power_button::PowerButton,
    &time_service::TimeService,
    &serial_console::SerialConsole,
    &verbose_boot::VerboseBoot,
    &serial_login::SerialLogin,
    &boot_menu::BootMenu,
    &stable_devices::StableDevices,
    &fstab_entries::FstabEntries,
    &kernel::Kernel,
    &stale_arguments::StaleArguments,
    &host_keys::HostKeys,
    &leftovers::I2,
    &empty_passwords::EmptyPasswords,
    &leftovers::I4,
    &leftovers::I5,
    &accounts::Accounts,
    &leftovers::I7,
    &leftovers::I8,
    &leftovers::I9,
    &leftovers::I10,
    &known_passwords::KnownPasswords,
    &ssh_server::SshServer,
    &name_lookups::NameLookups,
    &file_modes::FileModes,
    &builder_network::BuilderNetwork,
    &leftovers::D3,
];

/// One thing to judge. To add one: a type in a file here, and a line in [`ALL`].
pub trait Check: Sync {
    /// A letter for its group (N network, C cloud-init, B boot, I identity, S security, D disk) and a
    /// number.
    fn id(&self) -> &'static str;
    /// What should be so.
    fn title(&self) -> &'static str;
    /// How bad it is if it is not.
    fn severity(&self) -> Severity;
    /// What to do about it.
    fn fix(&self) -> &'static str;
    /// Looks.
    ///
    /// # Errors
    /// If the guest's files cannot be read.
    fn look(&self, guest: &Guest<'_>) -> Result<Outcome>;
}

/// How bad it is when a check does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An instance works, with a flaw.
    Warning,
    /// An instance misbehaves or is unsafe.
    Error,
}

/// What a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is so.
    Holds,
    /// It is not, and this is what is wrong.
    Broken(String),
    /// It does not concern this guest, and this is why.
    Irrelevant(&'static str),
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Pass,
    /// A flaw.
    Warn,
    /// The image misbehaves or is unsafe.
    Fail,
    /// It does not concern this guest.
    Skip,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's id.
    pub check: String,
    /// What should be so.
    pub title: String,
    /// How bad it is if it is not.
    pub severity: Severity,
    /// How it ended.
    pub verdict: Verdict,
    /// What is wrong, or why it was not looked at; empty if all is well.
    pub what: String,
    /// What to do about it; empty if all is well.
    pub fix: String,
    /// Whether the image is not to be used, by the job's `fail_on`.
    pub rejects: bool,
}

impl Outcome {
    /// All is well if there is no problem; else they are told one after the other.
    pub fn from_problems(problems: impl IntoIterator<Item = String>) -> Outcome {
        let problems: Vec<String> = problems.into_iter().collect();
        if problems.is_empty() { Outcome::Holds } else { Outcome::Broken(problems.join("; ")) }
    }
}

/// Does a check. What cannot be read cannot be vouched for: that is a failure, too.
pub(crate) fn look(check: &dyn Check, guest: &Guest<'_>, fail_on: FailOn) -> Finding {
    let severity = check.severity();
    let (verdict, what) = match check.look(guest) {
        Ok(Outcome::Holds) => (Verdict::Pass, String::new()),
        Ok(Outcome::Irrelevant(why)) => (Verdict::Skip, why.into()),
        Ok(Outcome::Broken(what)) if severity == Severity::Warning => (Verdict::Warn, what),
        Ok(Outcome::Broken(what)) => (Verdict::Fail, what),
        Err(why) => (Verdict::Fail, format!("cannot be checked: {why}")),
    };
    let is_bad = matches!(verdict, Verdict::Warn | Verdict::Fail);
    Finding {
        check: check.id().into(),
        title: check.title().into(),
        severity,
        verdict,
        what,
        fix: if is_bad { check.fix().into() } else { String::new() },
        rejects: fail_on.rejects(verdict),
    }
}

impl Options {
    /// Whether the ids in `skip` are those of checks.
    ///
    /// # Errors
    /// [`Error::UnknownName`](crate::Error::UnknownName).
    pub fn validate(&self) -> Result<()> {
        let ids = || ALL.iter().map(|check| check.id());
        self.skip.iter().try_for_each(|id| known("check", id, ids()))
    }
}
