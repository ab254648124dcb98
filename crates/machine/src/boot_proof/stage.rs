//! How far a boot has come, read off its serial console.

use std::fmt;

use serde::Serialize;

/// A stage of a boot, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The kernel's first line: the boot loader found it, and the console is a serial one.
    Kernel,
    /// cloud-init found its data source.
    CloudInitLocal,
    /// cloud-init's network stage: the card is up.
    CloudInitNetwork,
    /// cloud-init runs its configuration modules.
    CloudInitConfig,
    /// cloud-init runs its last modules, among them ours.
    CloudInitFinal,
    /// The instance has reported.
    Reported,
}

/// What each stage says on the console. cloud-init's lines begin `Cloud-init v. … running '…'`.
const SAID: &[(&str, Stage)] = &[
    ("Linux version ", Stage::Kernel),
    ("running 'init-local'", Stage::CloudInitLocal),
    ("running 'init'", Stage::CloudInitNetwork),
    ("running 'modules:config'", Stage::CloudInitConfig),
    ("running 'modules:final'", Stage::CloudInitFinal),
];

/// What a boot says that will come no further, and what that means.
const FATAL: &[(&str, &str)] = &[
    ("Kernel panic - not syncing", "its kernel panicked"),
    ("You are in emergency mode", "it fell into the emergency shell"),
    ("Entering emergency mode", "it fell into the emergency shell"),
    ("dracut-emergency", "its initramfs did not find the root file system"),
    ("ALERT!  ", "its initramfs did not find the root file system"),
    ("Gave up waiting for root", "its initramfs did not find the root file system"),
    ("Entering rescue mode...", "its boot loader did not find its files"),
    ("No bootable device", "its disk has no boot loader"),
];

impl Stage {
    /// The stage that a line of the console shows.
    pub(super) fn shown_by(line: &str) -> Option<Stage> {
        SAID.iter().find(|(said, _)| line.contains(said)).map(|(_, stage)| *stage)
    }
}

/// Why the boot has failed, when a line of the console says so.
pub(super) fn failure(line: &str) -> Option<&'static str> {
    FATAL.iter().find(|(said, _)| line.contains(said)).map(|(_, why)| *why)
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Stage::Kernel => "kernel started",
            Stage::CloudInitLocal => "cloud-init found its data",
            Stage::CloudInitNetwork => "network is up",
            Stage::CloudInitConfig => "cloud-init configures",
            Stage::CloudInitFinal => "cloud-init finishes",
            Stage::Reported => "instance reported",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_off_real_lines() {
        for (line, stage) in [
            ("[    0.000000] Linux version 6.1.0-56-cloud-amd64", Some(Stage::Kernel)),
            (
                "[   20.1] cloud-init[213]: Cloud-init v. 22.4.2 running 'init-local' at Tue",
                Some(Stage::CloudInitLocal),
            ),
            (
                "cloud-init[243]: Cloud-init v. 22.4.2 running 'init' at Tue",
                Some(Stage::CloudInitNetwork),
            ),
            ("[  OK  ] Started ssh.service", None),
        ] {
            assert_eq!(Stage::shown_by(line), stage, "{line}");
        }
    }

    #[test]
    fn a_panic_is_a_failure() {
        assert!(failure("[ 1.7] Kernel panic - not syncing: VFS: Unable to mount root").is_some());
        assert_eq!(failure("[  OK  ] Reached target multi-user.target"), None);
    }
}
