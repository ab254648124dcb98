//! Rows that can't be read, of which no service writes any: one of them must not take a whole list
//! away.

use crate::Result;

/// What a row holds, or nothing: then the log says what is wrong with it.
pub(super) fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "a row can't be read and is left out")).ok()
}

/// What the rows hold that can be read.
pub(super) fn all<R, T>(rows: &[R], read: impl Fn(&R) -> Result<T>) -> Vec<T> {
    rows.iter().filter_map(|row| readable(read(row))).collect()
}
