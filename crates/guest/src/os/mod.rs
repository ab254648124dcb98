//! What a guest is: its distribution, its tools, its packages.

mod architecture;
mod distribution;
mod packages;

use serde::{Deserialize, Serialize};

use crate::{Result, Root};

pub use packages::Package;

/// What a guest is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Os {
    /// `ID` of os-release: `debian`, `centos`. Empty if the guest does not say.
    pub id: String,
    /// `VERSION_ID`: `12`, `9.3`. Rolling distributions have none.
    pub version: String,
    /// `PRETTY_NAME`, for people.
    pub name: String,
    /// Which distributions' ways it follows.
    pub family: Family,
    /// What installs packages.
    pub package_manager: Option<PackageManager>,
    /// What starts services.
    pub init: Init,
    /// The processor's name as `uname -m` says it: `x86_64`, `aarch64`.
    pub architecture: Option<String>,
    /// Versions of the kernels in `/boot`, as they are written there.
    pub kernels: Vec<String>,
    /// Installed packages, as far as their list can be read without the guest's own tools: dpkg's
    /// can, RPM's databases cannot.
    pub packages: Vec<Package>,
}

/// Distributions that do things alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Debian, Ubuntu and their children.
    Debian,
    /// RHEL, CentOS, Fedora, Rocky, Alma, Oracle, Amazon.
    RedHat,
    /// SLES, openSUSE.
    Suse,
    /// Anything else.
    #[default]
    Unknown,
}

/// A program that installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageManager {
    /// `apt-get`
    Apt,
    /// `dnf`
    Dnf,
    /// `yum`, before there was dnf
    Yum,
    /// `zypper`
    Zypper,
    /// `apk`
    Apk,
    /// `pacman`
    Pacman,
}

/// The first process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// systemd
    Systemd,
    /// OpenRC, as in Alpine
    OpenRc,
    /// Scripts in `/etc/init.d`, Upstart among them
    SysV,
    /// Not known.
    #[default]
    Unknown,
}

/// A guest, and what it is: what checks look at.
#[derive(Debug)]
pub struct Guest<'a> {
    /// Its files.
    pub root: &'a Root,
    /// What it is.
    pub os: Os,
}

impl<'a> Guest<'a> {
    /// Inspects the guest.
    ///
    /// # Errors
    /// As [`inspect`].
    pub fn new(root: &'a Root) -> Result<Self> {
        Ok(Guest { root, os: inspect(root)? })
    }
}

/// Says what a guest is. What it does not tell is left empty.
///
/// # Errors
/// If its files cannot be read; that they are missing is no error.
pub fn inspect(root: &Root) -> Result<Os> {
    let (id, version, name, family) = distribution::read(root)?;
    Ok(Os {
        id,
        version,
        name,
        family,
        package_manager: packages::manager(root)?,
        init: init(root)?,
        architecture: architecture::read(root)?,
        kernels: kernels(root)?,
        packages: packages::installed(root)?,
    })
}

const INITS: &[(&str, Init)] = &[
    ("/lib/systemd/systemd", Init::Systemd),
    ("/usr/lib/systemd/systemd", Init::Systemd),
    ("/etc/systemd/system/default.target", Init::Systemd),
    ("/usr/lib/systemd/system/multi-user.target", Init::Systemd),
    ("/sbin/openrc", Init::OpenRc),
    ("/etc/inittab", Init::SysV),
    ("/etc/init.d/rc", Init::SysV),
];

fn init(root: &Root) -> Result<Init> {
    for (file, init) in INITS {
        if root.link_metadata(file)?.is_some() {
            return Ok(*init);
        }
    }
    Ok(Init::Unknown)
}

fn kernels(root: &Root) -> Result<Vec<String>> {
    let versions = root.glob("/boot/vmlinuz-*")?;
    let version = |path: &std::path::PathBuf| {
        path.file_name()?.to_str()?.strip_prefix("vmlinuz-").map(str::to_owned)
    };
    Ok(versions.iter().filter_map(version).collect())
}
