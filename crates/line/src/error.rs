//! What can go wrong on the line, in words for the person at the terminal.

use std::io;
use std::path::PathBuf;

use crate::recipe::Faults;

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
}
