//! What can go wrong on the line, in words for the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};

use crate::recipe::Faults;
use crate::steps::StepName;

/// The result of anything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recipe's file cannot be read.
    #[error("the recipe {} cannot be read: {source}", path.display())]
    RecipeUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The recipe has faults.
    #[error("the recipe cannot be used\n\n{0}\n")]
    Recipe(Faults),

    /// Programs of the system are missing.
    #[error("{} not installed: {}; on Debian: apt install {}",
        if programs.len() == 1 { "a program is" } else { "some programs are" },
        programs.join(", "), packages.join(" "))]
    ToolsMissing {
        /// The programs, or files of packages.
        programs: Vec<String>,
        /// The Debian packages that hold them.
        packages: Vec<String>,
    },

    /// An ordinary user may not be root in a namespace.
    #[error(
        "{user} has no subordinate ids, which building from packages as an ordinary user takes; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
    )]
    NoSubordinateIds {
        /// The user.
        user: String,
    },

    /// There is not enough room for what is to be made.
    #[error("not enough room in {}: {needed} are needed, {available} are free; free some, or name another place with {option}",
        path.display())]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// What the steps will need at most.
        needed: disk::ByteSize,
        /// What there is.
        available: disk::ByteSize,
        /// What names another place.
        option: &'static str,
    },

    /// Another run has the work folder.
    #[error("{} is in use by another `tintype make` ({holder}); wait for it, or use another --work-dir", path.display())]
    InUse {
        /// The work folder.
        path: PathBuf,
        /// Who, as it wrote itself down.
        holder: String,
    },

    /// A step that an option names is not on the line of this recipe.
    #[error("the recipe has no step `{0}`")]
    NoSuchStep(StepName),

    /// A step failed.
    #[error("{step} failed")]
    Step {
        /// Which.
        step: StepName,
        /// Why.
        source: Box<Error>,
    },

    /// A program that we ran failed.
    #[error("{program} failed ({status})\n{output}")]
    Program {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        output: String,
    },

    /// This machine's apt knows no archive with the suite.
    #[error(
        "this machine's apt knows no archive with the suite `{0}`; name one with `mirror` in [source], or run apt-get update"
    )]
    NoMirror(String),

    /// A source file is not what the recipe says.
    #[error("{} is not the file that the recipe names: its SHA-256 is {found}, the recipe has {expected}", path.display())]
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// What it hashes to.
        found: String,
        /// What it should hash to.
        expected: String,
    },

    /// A disk is smaller than it must be.
    #[error("{what} needs {needed}, the disk has {available}; raise `size` in [disk]")]
    DiskTooSmall {
        /// What does not fit.
        what: String,
        /// How much it needs.
        needed: disk::ByteSize,
        /// How much there is.
        available: disk::ByteSize,
    },

    /// Offline checks failed.
    #[error("{failed} of {all} checks failed; each is listed above with its fix")]
    ChecksFailed {
        /// How many failed.
        failed: usize,
        /// How many were made.
        all: usize,
    },

    /// The image is not proved.
    #[error("with {seed}: {source}")]
    NotProved {
        /// How the instance was to find its data.
        seed: &'static str,
        /// Why, with the last screen of the serial console.
        source: machine::Error,
    },

    /// Somebody asked to stop.
    #[error("cancelled; the steps that were done are kept, the next run goes on from there")]
    Cancelled,

    /// A virtual machine or the appliance.
    #[error(transparent)]
    Machine(machine::Error),

    /// A disk image file.
    #[error(transparent)]
    Disk(disk::Error),

    /// The image service.
    #[error(transparent)]
    Client(#[from] client::Error),

    /// The host's operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, or the path.
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

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Error::Cancelled => true,
            Error::Step { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }
}

impl From<disk::Error> for Error {
    fn from(error: disk::Error) -> Self {
        match error {
            disk::Error::Cancelled => Error::Cancelled,
            error => Error::Disk(error),
        }
    }
}

impl From<machine::Error> for Error {
    fn from(error: machine::Error) -> Self {
        match error {
            machine::Error::Cancelled => Error::Cancelled,
            error => Error::Machine(error),
        }
    }
}
