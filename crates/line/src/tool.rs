//! Programs of the system that steps run.

use std::env;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A program that a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) program: &'static str,
    /// Debian's package that holds it.
    pub(crate) package: &'static str,
}

/// Where administrators' programs are; not in the `PATH` of ordinary users.
const ADMINISTRATION: &[&str] = &["/usr/sbin", "/sbin", "/usr/local/sbin"];

/// `PATH`, and the folders of administrators' programs.
pub(crate) fn search_path() -> std::ffi::OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let more = ADMINISTRATION.iter().map(PathBuf::from);
    let all: Vec<PathBuf> = env::split_paths(&path).chain(more).collect();
    env::join_paths(all).unwrap_or(path)
}

/// Makes sure that all are there.
///
/// # Errors
/// [`Error::ToolsMissing`] with every one that is not, and the packages to install.
pub(crate) fn require(tools: &[Tool]) -> Result<()> {
    require_in(&env::split_paths(&search_path()).collect::<Vec<_>>(), tools)
}

fn require_in(folders: &[PathBuf], tools: &[Tool]) -> Result<()> {
    let there = |tool: &Tool| folders.iter().any(|folder| is_program(&folder.join(tool.program)));
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !there(tool)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut programs: Vec<_> = missing.iter().map(|tool| tool.program.to_owned()).collect();
    let mut packages: Vec<_> = missing.iter().map(|tool| tool.package.to_owned()).collect();
    programs.sort();
    programs.dedup();
    packages.sort();
    packages.dedup();
    Err(Error::ToolsMissing { programs, packages })
}

fn is_program(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_programs_are_told_with_their_packages() {
        let tools = [
            Tool { program: "sh", package: "dash" },
            Tool { program: "no-such-a", package: "pkg" },
            Tool { program: "no-such-b", package: "pkg" },
        ];
        let folders = ["/bin".into(), "/usr/bin".into()];
        assert!(require_in(&folders, &tools[..1]).is_ok());
        let why = require_in(&folders, &tools).unwrap_err().to_string();
        assert_eq!(
            why,
            "some programs are not installed: no-such-a, no-such-b; on Debian: apt install pkg"
        );
    }
}
