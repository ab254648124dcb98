//! Finding QEMU, and what the one found can do.

use std::io::ErrorKind;
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::{Error, Result};

/// The emulator of the machines we make images for.
const NAME: &str = "qemu-system-x86_64";

/// QEMU's own system call filter, everything it offers denied: a guest that breaks out of the
/// emulator can neither start programs nor change who it is.
pub(super) const SANDBOX: &str =
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// The installed QEMU.
#[derive(Clone, Debug)]
pub struct Program {
    /// The first line of `-version`.
    pub version: String,
    /// Whether this build knows `-sandbox`.
    pub sandbox: bool,
}

impl Program {
    /// Finds QEMU in `PATH` and asks for its version; a second call in the same process is free.
    ///
    /// # Errors
    /// [`Error::ProgramMissing`] with the package to install.
    pub fn find() -> Result<&'static Program> {
        static FOUND: OnceLock<Program> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let asked = ask()?;
        Ok(FOUND.get_or_init(|| asked))
    }

    /// A command that starts it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(NAME);
        if self.sandbox {
            command.args(["-sandbox", SANDBOX]);
        }
        command
    }
}

/// Options are read in order: a build without seccomp stops at `-sandbox`, before `-version`.
fn ask() -> Result<Program> {
    let with = version(&["-sandbox", SANDBOX, "-version"])?;
    if with.status.success() {
        return Ok(Program { version: first_line(&with), sandbox: true });
    }
    let without = version(&["-version"])?;
    if without.status.success() {
        return Ok(Program { version: first_line(&without), sandbox: false });
    }
    let message = String::from_utf8_lossy(&without.stderr).trim().to_owned();
    Err(Error::Program { program: NAME.into(), message })
}

fn version(arguments: &[&str]) -> Result<Output> {
    Command::new(NAME).args(arguments).output().map_err(|why| match why.kind() {
        ErrorKind::NotFound => {
            Error::ProgramMissing { program: NAME.into(), package: "qemu-system-x86" }
        }
        _ => Error::Io { what: NAME.into(), source: why },
    })
}

fn first_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}
