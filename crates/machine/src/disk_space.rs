//! Room on a file system, asked for before work starts.

use std::path::Path;

use crate::{Error, Result};

/// The bytes that an unprivileged process may still write in `folder`.
///
/// # Errors
/// [`Error::Io`] when the folder is not there.
pub fn available(folder: &Path) -> Result<u64> {
    let answer = rustix::fs::statvfs(folder).map_err(|why| Error::at(folder)(why.into()))?;
    Ok(answer.f_bavail.saturating_mul(answer.f_frsize))
}

/// Makes sure that `folder` has room for `needed` bytes.
///
/// # Errors
/// [`Error::NoSpace`] with both numbers.
pub fn require(folder: &Path, needed: u64) -> Result<()> {
    let available = available(folder)?;
    if available >= needed {
        return Ok(());
    }
    Err(Error::NoSpace { path: folder.to_owned(), needed, available })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_refused_with_both_numbers() {
        let folder = std::env::temp_dir();
        assert!(require(&folder, 1).is_ok());
        let refused = require(&folder, u64::MAX).unwrap_err();
        assert!(matches!(refused, Error::NoSpace { needed: u64::MAX, available: 1.., .. }));
    }
}
