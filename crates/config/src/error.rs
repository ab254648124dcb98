//! What can be wrong with a configuration.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::Place;

/// The result of reading a configuration.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a configuration.
#[derive(Debug, Error)]
pub enum Error {
    /// A file or folder can't be read.
    #[error("can't read the configuration {}: {cause}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
    /// A line is none of the format's.
    #[error("{place}: {what}")]
    Syntax {
        /// Where.
        place: Place,
        /// What was expected.
        what: &'static str,
    },
    /// A value is not of its option's kind. The value is not repeated: it may be a secret.
    #[error("{place}: [{section}] {option}: {expected}")]
    Value {
        /// Where.
        place: Place,
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// What was expected, as "expected a whole number".
        expected: String,
    },
    /// An option that has no default is missing.
    #[error("no configuration file sets {option} in [{section}]")]
    Missing {
        /// The section.
        section: String,
        /// The option.
        option: String,
    },
}
