//! Making a guest fit for a cloud. One file for each operation; [`ALL`] is their list and order.

mod cloud_init;
mod datasources;
mod first_boot_keys;
mod network;
mod options;
pub(crate) mod packages;
pub(crate) mod root_growth;
mod root_password;
pub(crate) mod serial_console;
mod services;
mod ssh_login;
mod timezone;
pub(crate) mod verbose_boot;
pub(crate) mod zeroconf;

use crate::edit::known;
use crate::{Commands, Edit, Os, Result, Root};

pub use options::{Options, Password};

/// All operations, in the order in which they are done: packages first, since the others look at
/// what is installed.
pub const ALL: &[&dyn Operation] = &[
    &packages::Packages,
    &cloud_init::CloudInit,
    &services::Services,
    &datasources::Datasources,
    &root_growth::RootGrowth,
    &network::Network,
    &zeroconf::Zeroconf,
    &ssh_login::SshLogin,
    &root_password::RootPassword,
    &first_boot_keys::FirstBootKeys,
    &serial_console::SerialConsole,
    &verbose_boot::VerboseBoot,
    &timezone::Timezone,
];

/// The operation after which the guest is inspected anew.
pub(crate) const PACKAGES: &str = "packages";

/// One step of a preparation. To add one: a file here, and a line in [`ALL`].
pub trait Operation: Sync {
    /// Its name in options and reports.
    fn name(&self) -> &'static str;
    /// What it does, in a line.
    fn summary(&self) -> &'static str;
    /// Does it. Where there is nothing to do, nothing is changed.
    ///
    /// # Errors
    /// If the guest cannot be changed so.
    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()>;
}

/// What an operation works with.
pub struct Preparation<'a> {
    /// Changes the guest's files.
    pub edit: Edit<'a>,
    /// What the guest is.
    pub os: &'a Os,
    /// What is asked for.
    pub options: &'a Options,
    /// Runs the guest's programs, where the room can.
    pub commands: Option<&'a mut dyn Commands>,
    /// Whether those programs reach the network.
    pub network: bool,
    /// Takes what they say.
    pub log: &'a mut dyn FnMut(&str),
}

impl<'a> Preparation<'a> {
    /// A preparation by editing files alone.
    pub fn new(
        root: &'a Root,
        os: &'a Os,
        options: &'a Options,
        log: &'a mut dyn FnMut(&str),
    ) -> Self {
        let edit = Edit::new(root, &[]);
        Preparation { edit, os, options, commands: None, network: false, log }
    }
}

impl Options {
    /// Whether the names in `skip` are those of operations.
    ///
    /// # Errors
    /// [`Error::UnknownName`](crate::Error::UnknownName).
    pub fn validate(&self) -> Result<()> {
        let names = || ALL.iter().map(|operation| operation.name());
        self.skip.iter().try_for_each(|name| known("prepare operation", name, names()))
    }
}
