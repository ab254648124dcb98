//! SSH host keys, for a guest without cloud-init.

use super::{Operation, Preparation};
use crate::system::{host_keys, services};
use crate::{Init, Result};
const UNIT: &str = "ssh-host-keys.service";

const TEXT: &str = "\
[Unit]
Description=Make the SSH host keys on first boot
Before=ssh.service sshd.service
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
";

/// See [`Operation::summary`].
pub(super) struct FirstBootKeys;

impl Operation for FirstBootKeys {
    fn name(&self) -> &'static str {
        "first_boot_keys"
    }

    fn summary(&self) -> &'static str {
        "Let the first boot make the SSH host keys"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        let edit = &mut preparation.edit;
        let can =
            preparation.os.init == Init::Systemd && edit.root.is_file("/usr/bin/ssh-keygen")?;
        if !can || !host_keys::has_server(edit.root)? || host_keys::maker(edit.root)?.is_some() {
            return Ok(());
        }
        edit.write(format!("/etc/systemd/system/{UNIT}"), TEXT)?;
        services::enable(edit, UNIT)
    }
}
