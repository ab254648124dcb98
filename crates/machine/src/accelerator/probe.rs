//! Running a guest under KVM, with a watchdog.

use std::time::Duration;

use super::{Accelerator, Choice, first_sector, fresh};
use crate::kernel::Kernel;
use crate::qemu::{Boot, Drive, DriveFormat, Machine, Said, Writes};
use crate::{Cancel, Error, Result, initramfs};

/// A kernel that runs on the processor says its word in well under a second; the promise is an
/// answer within three.
const WATCHDOG: Duration = Duration::from_millis(2500);

/// Boots the appliance's kernel up to its init.
pub(super) fn with_kernel(kernel: &Kernel, cancel: &Cancel) -> Result<Choice> {
    let work = tempfile::tempdir().map_err(Error::doing("making a temporary folder"))?;
    let boot = Boot {
        kernel: kernel.vmlinux(),
        initramfs: initramfs::write(kernel, work.path())?,
        command_line: format!("console=ttyS0 quiet panic=-1 {}", ::appliance::PROBE),
    };
    let machine = Machine { boot: Some(boot), ..machine() };
    run(&machine, ::appliance::ALIVE, "a kernel", cancel)
}

/// Boots a boot sector; all that can be tried before the appliance has a kernel.
pub(super) fn with_first_sector(cancel: &Cancel) -> Result<Choice> {
    let work = tempfile::tempdir().map_err(Error::doing("making a temporary folder"))?;
    let path = work.path().join("sector");
    std::fs::write(&path, first_sector::disk()).map_err(Error::at(&path))?;
    let drive = Drive { path, format: DriveFormat::Raw, writes: Writes::Denied, serial: "probe" };
    let machine = Machine { drives: vec![drive], ..machine() };
    run(&machine, first_sector::MARKER, "a boot sector", cancel)
}

fn machine() -> Machine {
    Machine {
        accelerator: Accelerator::Kvm,
        processors: 1,
        memory_mib: 256,
        boot: None,
        drives: Vec::new(),
        card: None,
        order: None,
        limit: WATCHDOG,
    }
}

fn run(machine: &Machine, marker: &str, what: &str, cancel: &Cancel) -> Result<Choice> {
    let running = machine.start()?;
    loop {
        match running.next(marker, cancel) {
            Ok(Some(Said::Console(line))) if line.contains(marker) => {
                let seconds = running.age().as_secs_f32();
                let reason = format!("KVM ran {what} in {seconds:.1} s");
                return Ok(fresh(Accelerator::Kvm, reason));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(no(&why(running.why_stopped(cancel)), what)),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(_) => return Ok(no(&format!("it did not finish in {WATCHDOG:?}"), what)),
        }
    }
}

fn why(error: Error) -> String {
    match error {
        // One line of QEMU's is enough; what follows is where in its source it stood.
        Error::Stopped { why, .. } => {
            format!("QEMU gave up: {}", why.split("; ").next().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn no(why: &str, what: &str) -> Choice {
    fresh(Accelerator::Tcg, format!("/dev/kvm opens, but could not run {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same guest under emulation, where it must run: else the probe's no means nothing.
    #[test]
    fn the_boot_sector_says_its_word() {
        if crate::qemu::Program::find().is_err() {
            println!("skipped: QEMU is not installed");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sector");
        std::fs::write(&path, first_sector::disk()).unwrap();
        let drive =
            Drive { path, format: DriveFormat::Raw, writes: Writes::Denied, serial: "probe" };
        let machine = Machine {
            accelerator: Accelerator::Tcg,
            drives: vec![drive],
            limit: Duration::from_secs(60),
            ..machine()
        };
        let running = machine.start().unwrap();
        let cancel = Cancel::new();
        while let Some(said) = running.next("the word", &cancel).unwrap() {
            // The firmware may not have ended its own line yet.
            if matches!(&said, Said::Console(line) if line.contains(first_sector::MARKER)) {
                return;
            }
        }
        panic!("the machine stopped without its word");
    }
}
