//! A virtual machine's description, and QEMU's command line for it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{Drive, Program, Running};
use crate::Result;
use crate::accelerator::Accelerator;

/// The name of the virtio-serial port over which the appliance gets its job.
const CHANNEL: &str = appliance::CHANNEL;

/// The board of every machine. `microvm` starts an uncompressed kernel no sooner, and has neither
/// HPET nor ACPI timer: on a busy host the emulated kernel then fails to calibrate its clock
/// against the PIT, and hangs or divides by zero.
const BOARD: &str = "q35";

/// A virtual machine to start.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What runs its instructions.
    pub accelerator: Accelerator,
    /// Virtual processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// A kernel to start at once; without one the firmware boots the first disk.
    pub boot: Option<Boot>,
    /// The disks, in order.
    pub drives: Vec<Drive>,
    /// The network card, if any.
    pub card: Option<Card>,
    /// What to say over the job channel; without it there is no channel.
    pub order: Option<Vec<u8>>,
    /// How long the machine may run.
    pub limit: Duration,
}

/// A kernel that QEMU loads itself.
#[derive(Clone, Debug)]
pub struct Boot {
    /// `vmlinux` with a PVH entry, or `vmlinuz`.
    pub kernel: PathBuf,
    /// The initial RAM file system.
    pub initramfs: PathBuf,
    /// The kernel's command line.
    pub command_line: String,
}

/// A network card on QEMU's user network: 10.0.2.0/24, gateway .2, name server .3, and the first
/// lease .15. It needs no privilege.
#[derive(Clone, Debug)]
pub struct Card {
    /// The hardware address.
    pub mac: String,
    /// A port of the host's 127.0.0.1 that leads to the guest's port 22.
    pub ssh_port: Option<u16>,
    /// What the guest can reach.
    pub reach: Reach,
}

/// What a guest can reach through its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What the host reaches.
    Everything,
    /// The addresses and names that QEMU itself serves. A guest that looks for a metadata service
    /// then never asks that of the cloud which we run in.
    Nothing,
}

impl Machine {
    /// Starts it.
    ///
    /// # Errors
    /// [`crate::Error::ProgramMissing`] without QEMU; [`crate::Error::Io`] when the host has no
    /// processes or sockets left.
    pub fn start(&self) -> Result<Running> {
        let mut command = Program::find()?.command();
        command.args(self.arguments());
        Running::start(command, self.order.clone(), self.limit)
    }

    /// QEMU's arguments. Descriptors 0 and 1 are sockets: see [`Running`].
    pub fn arguments(&self) -> Vec<OsString> {
        let mut line = Line::default();
        self.hardware(&mut line);
        self.talk(&mut line);
        self.disks(&mut line);
        self.network(&mut line);
        self.kernel(&mut line);
        line.0
    }

    fn hardware(&self, line: &mut Line) {
        line.add("-machine", self.board());
        line.add("-accel", self.accelerator.argument());
        line.add("-cpu", self.accelerator.processor());
        line.add("-smp", self.processors.to_string());
        line.add("-m", self.memory_mib.to_string());
        line.flags(&["-nodefaults", "-no-user-config", "-no-reboot"]);
        line.add("-display", "none");
        line.add("-device", "virtio-rng-pci");
    }

    /// Without graphics the firmware speaks on the serial port, and the boot loader through it: what
    /// goes wrong before the kernel is seen. A kernel that QEMU loads starts sooner in silence.
    fn board(&self) -> String {
        match self.boot {
            None => format!("{BOARD},graphics=off"),
            Some(_) => BOARD.to_owned(),
        }
    }

    fn talk(&self, line: &mut Line) {
        line.add("-chardev", "socket,id=console,fd=1");
        line.add("-serial", "chardev:console");
        if self.order.is_some() {
            line.add("-chardev", "socket,id=channel,fd=0");
            line.add("-device", "virtio-serial-pci");
            line.add("-device", format!("virtserialport,chardev=channel,name={CHANNEL}"));
        }
    }

    fn disks(&self, line: &mut Line) {
        for (number, drive) in self.drives.iter().enumerate() {
            let node = format!("disk{number}");
            line.add("-blockdev", drive.blockdev(&node).to_string());
            line.add("-device", format!("virtio-blk-pci,drive={node},serial={}", drive.serial));
        }
    }

    fn network(&self, line: &mut Line) {
        let Some(card) = &self.card else { return };
        let forward = card
            .ssh_port
            .map(|port| format!(",hostfwd=tcp:127.0.0.1:{port}-:22"))
            .unwrap_or_default();
        let restrict = match card.reach {
            Reach::Everything => "off",
            Reach::Nothing => "on",
        };
        line.add("-netdev", format!("user,id=network,restrict={restrict}{forward}"));
        line.add("-device", format!("virtio-net-pci,netdev=network,mac={},romfile=", card.mac));
    }

    fn kernel(&self, line: &mut Line) {
        let Some(boot) = &self.boot else { return };
        line.add("-kernel", &boot.kernel);
        line.add("-initrd", &boot.initramfs);
        line.add("-append", &boot.command_line);
    }
}

#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn add(&mut self, option: &str, value: impl Into<OsString>) {
        self.0.push(option.into());
        self.0.push(value.into());
    }

    fn flags(&mut self, options: &[&str]) {
        self.0.extend(options.iter().map(OsString::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qemu::{DriveFormat, Writes};

    fn machine() -> Machine {
        Machine {
            accelerator: Accelerator::Tcg,
            processors: 1,
            memory_mib: 512,
            boot: None,
            drives: vec![Drive {
                path: "/a,b/disk".into(),
                format: DriveFormat::Raw,
                writes: Writes::Denied,
                serial: "guest",
            }],
            card: None,
            order: None,
            limit: Duration::from_secs(1),
        }
    }

    fn line(machine: &Machine) -> String {
        let words: Vec<_> =
            machine.arguments().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }

    #[test]
    fn a_comma_in_a_path_stays_in_the_path() {
        assert!(line(&machine()).contains(r#""filename":"/a,b/disk""#));
    }

    #[test]
    fn a_machine_without_card_or_order_gets_neither() {
        let line = line(&machine());
        assert!(!line.contains("-netdev"), "{line}");
        assert!(!line.contains("virtserialport"), "{line}");
        assert!(line.contains("-nodefaults"), "{line}");
    }

    #[test]
    fn firmware_that_boots_a_disk_speaks_on_the_serial_port() {
        let boot = Boot {
            kernel: "vmlinux".into(),
            initramfs: "initramfs".into(),
            command_line: "quiet".into(),
        };
        assert!(line(&machine()).contains("-machine q35,graphics=off "));
        let direct = Machine { boot: Some(boot), ..machine() };
        assert!(line(&direct).contains("-machine q35 "));
    }

    #[test]
    fn a_forwarded_port_is_bound_to_loopback_only() {
        let card =
            Card { mac: "fa:16:3e:00:00:01".into(), ssh_port: Some(2022), reach: Reach::Nothing };
        let with = Machine { card: Some(card), ..machine() };
        assert!(line(&with).contains("restrict=on,hostfwd=tcp:127.0.0.1:2022-:22"));
    }
}
