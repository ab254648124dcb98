//! What can go wrong with a guest.

use std::io;
use std::path::{Path, PathBuf};

/// The result of nearly everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with what a person needs to find it. Paths start at the guest's root.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was tried, such as "reading".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is to be edited is not text.
    #[error("{} is not UTF-8 text (byte {at})", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
        /// Where the first wrong byte is.
        at: usize,
    },
    /// A file is larger than any of its kind should be.
    #[error("{} has {size} bytes, more than the {limit} that are read", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its length in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Directories are nested deeper than anything reasonable.
    #[error("{} is nested deeper than {limit} directories", path.display())]
    TooDeep {
        /// Which directory.
        path: PathBuf,
        /// How many levels are followed.
        limit: usize,
    },
    /// An option names an operation or a check that does not exist.
    #[error("there is no {kind} \"{name}\"; the nearest is \"{nearest}\"")]
    UnknownName {
        /// "operation" or "check", with its task.
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The most similar name there is.
        nearest: &'static str,
    },
    /// Packages are missing and cannot be installed.
    #[error("{} not installed, and {why}", list(packages))]
    MissingPackages {
        /// Their names, as the distribution has them.
        packages: Vec<String>,
        /// What stands in the way, and what to do.
        why: &'static str,
    },
    /// A command of the guest did not succeed.
    #[error("`{command}` in the guest ended with {status}{}", last_words(said))]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines that it said.
        said: Vec<String>,
    },
    /// An option cannot be fulfilled in this guest.
    #[error("{0}")]
    Impossible(String),
    /// An operation or a check failed.
    #[error("{task}, {operation}: {source}")]
    Operation {
        /// Of which task.
        task: crate::job::TaskKind,
        /// The operation's name.
        operation: &'static str,
        /// Why.
        source: Box<Error>,
    },
}

impl Error {
    pub(crate) fn io<E: Into<io::Error>>(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(E) -> Error {
        move |source| Error::Io { doing, path: path.as_ref().to_owned(), source: source.into() }
    }
}

fn list(packages: &[String]) -> String {
    let verb = if packages.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", packages.join(", "))
}

fn last_words(said: &[String]) -> String {
    said.iter().map(|line| format!("\n  {line}")).collect()
}
