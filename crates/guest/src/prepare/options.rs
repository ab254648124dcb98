//! What a recipe may ask of a preparation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The table `[prepare]` of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Packages that must be there: a role (`cloud-init`, `growpart`, `gdisk`, `openssh-server`,
    /// `qemu-guest-agent`, `acpid`), which has its own name in each distribution, or a name as the
    /// guest's package manager knows it. Missing ones are installed.
    pub packages: Vec<String>,
    /// Whether root may log in over SSH, and gets the instance's key. Not given: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_login: Option<bool>,
    /// Whether passwords are accepted over SSH, and cloud-init's default user may have one. Not
    /// given: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_login: Option<bool>,
    /// A password for root, in the clear here and hashed (sha512-crypt) in the guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_password: Option<Password>,
    /// Where cloud-init looks for an instance's data, in this order. Empty: as it is.
    pub datasources: Vec<String>,
    /// Whether the kernel, GRUB and a log-in speak on the first serial port, at 115200 baud.
    pub serial_console: bool,
    /// Whether the kernel says what it does at boot: no `rhgb`, `quiet`, `splash`.
    pub verbose_boot: bool,
    /// Whether each network card is left to cloud-init, and so to DHCP.
    pub dhcp: bool,
    /// A time zone by its name in the tz database, such as `Etc/UTC`. Not given: as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Operations not to do, by their names.
    pub skip: Vec<String>,
}

/// What an image for OpenStack needs.
const PACKAGES: &[&str] =
    &["cloud-init", "growpart", "gdisk", "openssh-server", "qemu-guest-agent", "acpid"];

/// OpenStack's two ways, EC2's metadata that it also serves, a seed disk for tests; `None` lets an
/// instance without any of them come up at once.
const DATASOURCES: &[&str] = &["ConfigDrive", "OpenStack", "Ec2", "NoCloud", "None"];

impl Default for Options {
    fn default() -> Self {
        Options {
            packages: PACKAGES.iter().map(|&name| name.into()).collect(),
            root_login: None,
            password_login: None,
            root_password: None,
            datasources: DATASOURCES.iter().map(|&name| name.into()).collect(),
            serial_console: true,
            verbose_boot: true,
            dhcp: true,
            timezone: None,
            skip: Vec::new(),
        }
    }
}

/// A password, which no log shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let options =
            Options { root_password: Some(Password("secret".into())), ..Options::default() };
        assert!(!format!("{options:?}").contains("secret"));
    }
}
