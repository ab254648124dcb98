//! Who makes the SSH host keys of a new instance.

use super::{cloud_init, services};
use crate::{Result, Root};

/// Units that make missing keys: the Red Hat family's, and ours.
const UNITS: &[&str] = &["sshd-keygen@.service", "sshd-keygen.service", "ssh-host-keys.service"];

/// Whether an SSH server is installed.
pub(crate) fn has_server(root: &Root) -> Result<bool> {
    Ok(root.is_file("/usr/sbin/sshd")? || root.is_file("/etc/ssh/sshd_config")?)
}

/// What makes the keys at a boot, if anything does.
pub(crate) fn maker(root: &Root) -> Result<Option<&'static str>> {
    for unit in UNITS {
        if services::unit(root, unit)?.is_some() {
            return Ok(Some(unit));
        }
    }
    // Before systemd, the script that starts the server does it.
    if root.text("/etc/init.d/sshd")?.contains("ssh-keygen") {
        return Ok(Some("/etc/init.d/sshd"));
    }
    let runs = cloud_init::is_installed(root)? && !root.exists(cloud_init::DISABLED)?;
    let (settings, _) = cloud_init::settings(root)?;
    let has_module = cloud_init::module_names(&settings).contains(&"ssh");
    Ok((runs && has_module).then_some("cloud-init"))
}
