//! What can go wrong around a virtual machine, in words for the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::boot_proof::Check;
use crate::qemu::Screen;

/// The result of anything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// QEMU is not installed.
    #[error("{program} was not found; install it (Debian and Ubuntu: apt install {package})")]
    ProgramMissing {
        /// The program that was looked for in `PATH`.
        program: String,
        /// The Debian package that holds it.
        package: &'static str,
    },

    /// A program that we ran said no.
    #[error("{program} failed: {message}")]
    Program {
        /// The program.
        program: String,
        /// The end of its standard error, or its exit status.
        message: String,
    },

    /// QEMU ended although the guest had not finished.
    #[error("the virtual machine stopped unexpectedly: {why}{screen}")]
    Stopped {
        /// QEMU's own words, or its exit status.
        why: String,
        /// The last lines of the serial console.
        screen: Screen,
    },

    /// The virtual machine took longer than it may.
    #[error("{what} did not happen within {} s{screen}", limit.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// The last lines of the serial console.
        screen: Screen,
    },

    /// Somebody asked to stop: see [`crate::Cancel`].
    #[error("cancelled")]
    Cancelled,

    /// The appliance has no kernel yet.
    #[error("the appliance has no kernel yet: run `tintype appliance setup` once")]
    KernelNotPrepared,

    /// A prepared kernel does not match its manifest.
    #[error("{} of the appliance's kernel is damaged ({why}); run `tintype appliance setup` again", path.display())]
    KernelDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },

    /// A kernel, module or package that setup cannot use.
    #[error("{}: {why}", path.display())]
    KernelUnusable {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },

    /// The appliance ran, but could not do the job.
    #[error("the appliance could not do its job: {message}{screen}")]
    Appliance {
        /// The appliance's own words.
        message: String,
        /// The last lines of its console.
        screen: Screen,
    },

    /// What the appliance said over its channel is not understood.
    #[error("the appliance sent what is not a message: {0}")]
    Protocol(String),

    /// The image booted, but is not what was promised.
    #[error("the booted image is not as it should be: {}{screen}", failed(checks))]
    NotProven {
        /// All checks, the ones that passed too.
        checks: Vec<Check>,
        /// The last lines of the serial console.
        screen: Screen,
    },

    /// A disk that could not be opened or made.
    #[error(transparent)]
    Disk(disk::Error),

    /// Not enough room.
    #[error("{} has {available} bytes free, {needed} are needed", path.display())]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// How much is needed, in bytes.
        needed: u64,
        /// How much there is, in bytes.
        available: u64,
    },

    /// The host's operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// An I/O error at a path.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Error::Io { what: path.display().to_string(), source }
    }

    /// An I/O error while doing something.
    pub(crate) fn doing(what: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Error::Io { what: what.to_owned(), source }
    }
}

fn failed(checks: &[Check]) -> String {
    let failed: Vec<String> =
        checks.iter().filter(|check| !check.passed).map(Check::to_string).collect();
    failed.join("; ")
}
