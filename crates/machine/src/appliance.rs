//! The appliance: a micro-VM that mounts a guest's disk and does a job on it.
//!
//! It is a kernel, our own static init and nothing else. A hostile file system meets a kernel that
//! lives for two seconds and holds nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use ::appliance::{Message, Order};
use guest::job::{Event, Job, Report};

use crate::accelerator::Accelerator;
use crate::kernel::Kernel;
use crate::qemu::{self, Boot, Card, Drive, DriveFormat, Machine, Reach, Running, Said, Writes};
use crate::{Cancel, Error, Result, initramfs};

/// Enough for a package manager's own memory and the page cache of a small guest.
const MEMORY_MIB: u32 = 768;

/// Editing takes seconds; packages installed under emulation take minutes.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// `quiet`: each character of a kernel message costs a trap. `panic=-1` with `-no-reboot` makes a
/// panic end the machine. The guest's own mitigations protect nobody here and cost time.
const COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off";

/// The network card's address is never seen outside.
const MAC: &str = "52:54:00:12:34:56";

/// The appliance, ready to start any number of times.
#[derive(Clone, Debug)]
pub struct Appliance {
    kernel: Kernel,
    accelerator: Accelerator,
    network: Network,
    limit: Duration,
}

/// Whether the guest's own commands reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// There is no card.
    None,
    /// What the host reaches, through QEMU's user network.
    User,
}

/// What the appliance does to a guest, in a word: another one when its init was built from other
/// sources.
pub fn identity() -> &'static str {
    static IDENTITY: OnceLock<String> = OnceLock::new();
    IDENTITY.get_or_init(initramfs::identity)
}

impl Appliance {
    /// An appliance without a network, with half an hour for a job.
    pub fn new(kernel: Kernel, accelerator: Accelerator) -> Self {
        Appliance { kernel, accelerator, network: Network::None, limit: LIMIT }
    }

    /// Gives it a network, or none.
    pub fn with_network(self, network: Network) -> Self {
        Appliance { network, ..self }
    }

    /// How long a job may take.
    pub fn with_limit(self, limit: Duration) -> Self {
        Appliance { limit, ..self }
    }

    /// Does the job on the disk **in place**: give it a copy or an overlay. Events arrive as the
    /// job goes. When this returns `Ok` the guest's file systems were unmounted cleanly, their
    /// free space was given back to the image file, and the file is synchronized to its disk. On
    /// an error the disk's content is anybody's guess.
    ///
    /// # Errors
    /// [`Error::Appliance`] with the appliance's words when it finds no root file system or the
    /// job fails; [`Error::Stopped`], [`Error::TimedOut`] with the last of its console;
    /// [`Error::Cancelled`].
    pub fn run(
        &self,
        disk: &Path,
        format: DriveFormat,
        job: &Job,
        on_event: &mut dyn FnMut(Event),
        cancel: &Cancel,
    ) -> Result<Report> {
        let work = tempfile::tempdir().map_err(Error::doing("making a temporary folder"))?;
        let initramfs = initramfs::write(&self.kernel, work.path())?;
        let machine = self.machine(initramfs, drive(disk, format), order(job, self.network)?);
        let running = machine.start()?;
        let Some(report) = listen(&running, on_event, cancel)? else {
            return Err(running.why_stopped(cancel));
        };
        running.finish(cancel)?;
        File::open(disk).and_then(|disk| disk.sync_all()).map_err(Error::at(disk))?;
        Ok(report)
    }

    fn machine(&self, initramfs: PathBuf, drive: Drive, order: Vec<u8>) -> Machine {
        let boot = Boot {
            kernel: self.kernel.vmlinux(),
            initramfs,
            command_line: COMMAND_LINE.to_owned(),
        };
        let card = Card { mac: MAC.to_owned(), ssh_port: None, reach: Reach::Everything };
        Machine {
            accelerator: self.accelerator,
            processors: 1,
            memory_mib: MEMORY_MIB,
            boot: Some(boot),
            drives: vec![drive],
            card: (self.network == Network::User).then_some(card),
            order: Some(order),
            limit: self.limit,
        }
    }
}

fn drive(disk: &Path, format: DriveFormat) -> Drive {
    Drive { path: disk.to_owned(), format, writes: Writes::Unsynced, serial: "guest" }
}

fn order(job: &Job, network: Network) -> Result<Vec<u8>> {
    let order = Order { job: job.clone(), network: network == Network::User };
    let line = serde_json::to_vec(&order).map_err(io::Error::from);
    let mut line = line.map_err(Error::doing("writing the appliance's order"))?;
    line.push(b'\n');
    Ok(line)
}

/// Hands on what the appliance says until its report; none when it is off without one.
fn listen(
    running: &Running,
    on_event: &mut dyn FnMut(Event),
    cancel: &Cancel,
) -> Result<Option<Report>> {
    while let Some(said) = running.next("the end of the appliance's job", cancel)? {
        let Said::Channel(line) = said else { continue };
        match serde_json::from_str(&line).map_err(|why| Error::Protocol(why.to_string()))? {
            Message::Event(event) => on_event(event),
            Message::Report(report) => return Ok(Some(report)),
            Message::Failed(why) => {
                let message = qemu::readable_lines(&why);
                return Err(Error::Appliance { message, screen: running.screen() });
            }
        }
    }
    Ok(None)
}
