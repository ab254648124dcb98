//! What a call of Ceph's libraries ends with that fails.

use std::ffi::{CString, c_int};
use std::io;

use thiserror::Error;

/// Why a call of Ceph's libraries failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(in crate::rbd) enum Failure {
    /// The libraries are not there, or are too old.
    #[error(
        "Ceph's client libraries can't be used, install librados2 and librbd1 of Ceph 14 or later: {0}"
    )]
    NoLibrary(String),
    /// A name that the libraries can't be given.
    #[error("a name with a zero byte in it")]
    BadName,
    /// A call failed.
    #[error("can't {doing}: {}", io::Error::from_raw_os_error(*.code))]
    Call {
        /// What was to be done.
        doing: &'static str,
        /// The error's number, as `errno` has them.
        code: i32,
    },
}

impl Failure {
    /// The error's number, as `errno` has them; 0 where there is none.
    pub(in crate::rbd) fn code(&self) -> i32 {
        match self {
            Self::Call { code, .. } => *code,
            Self::NoLibrary(_) | Self::BadName => 0,
        }
    }

    /// Whether it is this that could not be done.
    pub(in crate::rbd) fn is_of(&self, what: &str) -> bool {
        matches!(self, Self::Call { doing, .. } if *doing == what)
    }
}

/// What a call returns: a negative number is an error.
pub(super) fn checked(doing: &'static str, returned: c_int) -> Result<c_int, Failure> {
    match returned {
        0.. => Ok(returned),
        negative => Err(Failure::Call { doing, code: negative.saturating_neg() }),
    }
}

/// A name as the libraries take it.
pub(super) fn name(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::BadName)
}
