//! Where things live that can be made again.

use std::env;
use std::path::PathBuf;

/// `$XDG_CACHE_HOME/tintype`, or `~/.cache/tintype` (XDG Base Directory Specification 0.8). The
/// specification has a relative path ignored. Without a home it is a folder of the system's
/// temporary directory.
pub(crate) fn folder() -> PathBuf {
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("tintype")
}

fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}
