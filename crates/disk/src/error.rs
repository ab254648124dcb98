//! What goes wrong with disk images.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::facts::Reference;
use crate::inspect::InspectError;
use crate::size::ByteSize;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not done with a disk image.
#[derive(Debug, Error)]
pub enum Error {
    /// The system refused.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The image is not what its format's specification allows.
    #[error("{}: {why}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Why.
        why: InspectError,
    },
    /// The image names another file, and nobody said that it may.
    #[error("{} refers to {reference}, which is not followed unless asked for", path.display())]
    Refers {
        /// The image.
        path: PathBuf,
        /// What it refers to.
        reference: Reference,
    },
    /// The backing file cannot be used.
    #[error("{}: its backing file {backing:?} {why}", path.display())]
    Backing {
        /// The image.
        path: PathBuf,
        /// The name that it has for its backing file.
        backing: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No such format.
    #[error("there is no format `{name}`; known are {known}")]
    UnknownFormat {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A format without the ability.
    #[error("{what} is not possible with {format}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What was asked for, as "reading".
        what: &'static str,
    },
    /// A particular image is of a kind that we do not handle.
    #[error("{}: {what}", path.display())]
    NotHandled {
        /// The image.
        path: PathBuf,
        /// What it is or has, and what to do.
        what: &'static str,
    },
    /// An option of `-o` is wrong.
    #[error("option `{option}`: {why}")]
    Option {
        /// The option as it was written.
        option: String,
        /// What is wrong.
        why: String,
    },
    /// The disk would lose its end.
    #[error("this would cut {from} down to {to} and lose what is behind; ask for it with --shrink")]
    Shrinks {
        /// The size now.
        from: ByteSize,
        /// The size asked for.
        to: ByteSize,
    },
    /// Whoever watched wanted it to end.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// An error of the system at a file.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = path.to_owned();
        move |why| Error::Io { path, why }
    }

    /// A fault in an image.
    pub(crate) fn image(path: &Path, why: InspectError) -> Error {
        Error::Image { path: path.to_owned(), why }
    }
}
