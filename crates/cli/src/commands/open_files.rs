//! How many files a process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as it may be. A connection is an open file, and there may be more of them
/// than most shells, and systemd, allow at first.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the number of connections can't be raised");
    }
}
