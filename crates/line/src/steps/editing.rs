//! What prepare, clean and check have in common: a job in the appliance.
//!
//! Each starts an appliance of its own. A start takes some three seconds under emulation, a third
//! of one with KVM; for that, a changed `[check]` does not prepare again.

use guest::job::{Event as JobEvent, Job, Report, Task};
use machine::DriveFormat;
use machine::accelerator::{self, Accelerator};
pub(super) use machine::appliance::identity;
use machine::appliance::{Appliance, Network};
use machine::kernel::{self, Kernel};

use super::Work;
use crate::event::Event;
use crate::recipe::Format;
use crate::tool::Tool;
use crate::{Result, image_file};

/// What runs the appliance, and the boot proof.
pub(super) const QEMU: Tool = Tool { program: "qemu-system-x86_64", package: "qemu-system-x86" };

/// What a job may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nothing but the disk.
    Offline,
    /// The guest's package manager may fetch packages.
    Network,
}

/// The file that an edited disk is in.
pub(super) const DISK: &str = "disk.qcow2";

/// Does a task on a new overlay over the disk that came in. The overlay is [`DISK`] in the step's
/// folder.
pub(super) fn edit(work: &mut Work<'_>, task: Task, reach: Reach) -> Result<Report> {
    let overlay = work.file(DISK);
    image_file::overlay(work.disk()?, &overlay)?;
    let kernel = kernel(work)?;
    let accelerator = accelerator(work, &kernel)?;
    let network = if reach == Reach::Network { Network::User } else { Network::None };
    let job =
        Job { tasks: vec![Task::Inspect, task], network: reach == Reach::Network, trim: true };
    let appliance = Appliance::new(kernel, accelerator).with_network(network);
    let cancel = work.cancel().clone();
    let report = appliance.run(
        &overlay,
        DriveFormat::Qcow2,
        &job,
        &mut |event| tell(work, event),
        &cancel,
    )?;
    Ok(report)
}

fn tell(work: &mut Work<'_>, event: JobEvent) {
    match event {
        JobEvent::Changed(change) => {
            work.note(format!("{}: {}", change.operation, change.summary));
        }
        JobEvent::Log(line) => work.note(line),
        JobEvent::Finding(finding) => work.tell(Event::Finding { step: work.step, finding }),
        _ => {}
    }
}

/// The appliance's kernel; the first time it is prepared from this machine's own.
pub(super) fn kernel(work: &mut Work<'_>) -> Result<Kernel> {
    match Kernel::prepared() {
        Err(machine::Error::KernelNotPrepared) => {
            work.note("preparing the appliance's kernel, this once");
            let cancel = work.cancel().clone();
            let kernel =
                kernel::setup(kernel::From::Anywhere, &mut |line| work.note(line), &cancel);
            Ok(kernel?)
        }
        kernel => Ok(kernel?),
    }
}

/// What runs virtual machines here; the reason is told once per boot of the host.
pub(super) fn accelerator(work: &mut Work<'_>, kernel: &Kernel) -> Result<Accelerator> {
    let choice = accelerator::choose(Some(kernel), work.cancel())?;
    if !choice.remembered {
        work.note(format!("virtual machines run by {}: {}", choice.accelerator, choice.reason));
    }
    Ok(choice.accelerator)
}

/// The format in the machine crate's words.
pub(super) fn drive_format(format: Format) -> DriveFormat {
    match format {
        Format::Raw => DriveFormat::Raw,
        Format::Qcow2 => DriveFormat::Qcow2,
    }
}

/// A report's changes, in a line.
pub(super) fn changes(report: &Report) -> String {
    format!("{} changes", report.changes.len())
}
