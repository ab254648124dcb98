//! What goes wrong in here, in words: they are shown to the person outside.

use std::fmt;
use std::io;

/// An error as one sentence, with where it happened.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// An error of the system while doing something.
    pub(crate) fn doing<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Failure {
        move |why| Failure(format!("{what}: {why}"))
    }

    /// An error that says all by itself.
    pub(crate) fn of(why: impl fmt::Display) -> Failure {
        Failure(why.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        io::Error::other(failure.0)
    }
}
