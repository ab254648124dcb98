//! The programs that an image for a cloud needs.

use super::{Operation, Preparation};
use crate::os::inspect;
use crate::{Commands, Error, Family, Os, PackageManager, Result, Root};

/// A program by what it is for, since its package has other names elsewhere.
pub(crate) struct Role {
    name: &'static str,
    /// It is there if one of these is.
    files: &'static [&'static str],
    debian: &'static str,
    red_hat: &'static str,
    suse: &'static str,
}

/// The roles that options may name.
pub(crate) const ROLES: &[Role] = &[
    Role {
        name: "cloud-init",
        files: &["/usr/bin/cloud-init"],
        debian: "cloud-init",
        red_hat: "cloud-init",
        suse: "cloud-init",
    },
    Role {
        name: "growpart",
        files: &["/usr/bin/growpart", "/usr/sbin/growpart"],
        debian: "cloud-guest-utils",
        red_hat: "cloud-utils-growpart",
        suse: "growpart",
    },
    Role {
        name: "gdisk",
        files: &["/sbin/sgdisk", "/usr/sbin/sgdisk", "/usr/bin/sgdisk"],
        debian: "gdisk",
        red_hat: "gdisk",
        suse: "gptfdisk",
    },
    Role {
        name: "openssh-server",
        files: &["/usr/sbin/sshd"],
        debian: "openssh-server",
        red_hat: "openssh-server",
        suse: "openssh",
    },
    Role {
        name: "qemu-guest-agent",
        files: &["/usr/sbin/qemu-ga", "/usr/bin/qemu-ga"],
        debian: "qemu-guest-agent",
        red_hat: "qemu-guest-agent",
        suse: "qemu-guest-agent",
    },
    Role {
        name: "acpid",
        files: &["/usr/sbin/acpid", "/usr/bin/acpid"],
        debian: "acpid",
        red_hat: "acpid",
        suse: "acpid",
    },
];

/// A package manager's commands: what comes before the packages.
struct Install {
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    /// The directory or file that changes.
    database: &'static str,
}

const APT: Install = Install {
    refresh: &["apt-get", "-q", "update"],
    install: &[
        "apt-get",
        "-q",
        "-y",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confdef",
        "-o",
        "Dpkg::Options::=--force-confold",
        "install",
    ],
    database: "/var/lib/dpkg/status",
};

const DNF: Install =
    Install { refresh: &[], install: &["dnf", "-y", "install"], database: "/var/lib/rpm" };

const YUM: Install =
    Install { refresh: &[], install: &["yum", "-y", "install"], database: "/var/lib/rpm" };

const ZYPPER: Install = Install {
    refresh: &["zypper", "--non-interactive", "refresh"],
    install: &["zypper", "--non-interactive", "install", "--no-recommends"],
    database: "/var/lib/rpm",
};

const ENVIRONMENT: &[(&str, &str)] =
    &[("DEBIAN_FRONTEND", "noninteractive"), ("LC_ALL", "C"), ("HOME", "/root")];

/// Asked by Debian's packages before they start a service: 101 forbids it
/// (`invoke-rc.d(8)`, "policy-rc.d").
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// How many of a failed command's last lines are told.
const LAST_LINES: usize = 12;

/// See [`Operation::summary`].
pub(super) struct Packages;

impl Operation for Packages {
    fn name(&self) -> &'static str {
        super::PACKAGES
    }

    fn summary(&self) -> &'static str {
        "Install the packages that are missing"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let missing = missing(preparation, preparation.os)?;
        if missing.is_empty() {
            return Ok(());
        }
        let Some(tool) = preparation.os.package_manager.and_then(commands_of) else {
            return Err(lacking(missing, "the guest has no package manager that is known here"));
        };
        if preparation.commands.is_none() {
            let why = "the guest's package manager cannot be run here: edit it in the appliance";
            return Err(lacking(missing, why));
        }
        if !preparation.network {
            let why = "there is no network to fetch them from: allow it, or choose a source that has them";
            return Err(lacking(missing, why));
        }
        install(preparation, tool, &missing)?;
        let still = self::missing(preparation, &inspect(preparation.edit.root)?)?;
        if still.is_empty() {
            return Ok(());
        }
        Err(lacking(still, "the guest's package manager did not say why"))
    }
}

/// Whether a role's program is there.
pub(crate) fn has_role(root: &Root, os: &Os, name: &str) -> Result<bool> {
    let Some(role) = ROLES.iter().find(|role| role.name == name) else { return Ok(false) };
    for file in role.files {
        if root.is_file(file)? {
            return Ok(true);
        }
    }
    Ok(os.has_package(role.package(os.family)))
}

impl Role {
    fn package(&self, family: Family) -> &'static str {
        match family {
            Family::Debian => self.debian,
            Family::RedHat | Family::Unknown => self.red_hat,
            Family::Suse => self.suse,
        }
    }
}

/// The packages that are asked for and not there, by the distribution's names.
fn missing(preparation: &mut Preparation<'_>, os: &Os) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for name in &preparation.options.packages {
        let role = ROLES.iter().find(|role| role.name == *name);
        let is_there = match role {
            Some(role) => has_role(preparation.edit.root, os, role.name)?,
            None => os.has_package(name) || asked(&mut preparation.commands, os, name)?,
        };
        if !is_there {
            missing.push(role.map_or(name.clone(), |role| role.package(os.family).into()));
        }
    }
    Ok(missing)
}

/// RPM's database is asked through RPM itself.
fn asked(commands: &mut Option<&mut dyn Commands>, os: &Os, name: &str) -> Result<bool> {
    let has_rpm = matches!(
        os.package_manager,
        Some(PackageManager::Dnf | PackageManager::Yum | PackageManager::Zypper)
    );
    let (true, Some(commands)) = (has_rpm, commands) else { return Ok(false) };
    let status = commands
        .run("rpm", &["-q", "--whatprovides", name], ENVIRONMENT, &mut |_| {})
        .map_err(Error::io("running", "rpm"))?;
    Ok(status.success())
}

fn commands_of(manager: PackageManager) -> Option<&'static Install> {
    match manager {
        PackageManager::Apt => Some(&APT),
        PackageManager::Dnf => Some(&DNF),
        PackageManager::Yum => Some(&YUM),
        PackageManager::Zypper => Some(&ZYPPER),
        PackageManager::Apk | PackageManager::Pacman => None,
    }
}

fn install(preparation: &mut Preparation<'_>, tool: &Install, packages: &[String]) -> Result<()> {
    let root = preparation.edit.root;
    let forbids = std::ptr::eq(tool, &APT) && root.link_metadata(POLICY)?.is_none();
    if forbids {
        root.write_new(POLICY, "#!/bin/sh\nexit 101\n", 0o755)?;
    }
    let done =
        run(preparation, tool.refresh, &[]).and_then(|()| run(preparation, tool.install, packages));
    if forbids {
        root.remove(POLICY)?;
    }
    preparation.edit.note(tool.database);
    done
}

fn run(preparation: &mut Preparation<'_>, words: &[&str], packages: &[String]) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let Some(commands) = &mut preparation.commands else { return Ok(()) };
    let arguments: Vec<&str> =
        arguments.iter().copied().chain(packages.iter().map(String::as_str)).collect();
    let mut said = Vec::new();
    let log = &mut preparation.log;
    let status = commands
        .run(program, &arguments, ENVIRONMENT, &mut |line| {
            log(line);
            said.push(line.to_owned());
        })
        .map_err(Error::io("running", program))?;
    if status.success() {
        return Ok(());
    }
    let said = said.split_off(said.len().saturating_sub(LAST_LINES));
    let command = format!("{program} {}", arguments.join(" "));
    Err(Error::Command { command, status: status.to_string(), said })
}

fn lacking(packages: Vec<String>, why: &'static str) -> Error {
    Error::MissingPackages { packages, why }
}

#[cfg(test)]
mod tests;
