//! This program's second life: started by itself with a root and a command, it becomes that
//! command inside that root. What may happen between `fork` and `exec` needs no unsafe code so.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, exit};

/// Where the kernel finds this program, and so do we.
const OURSELVES: &str = "/init";

/// What a shell's user gets from a program that could not be started.
const NOT_STARTED: i32 = 127;

/// A command that runs `program` with `root` as its `/`.
pub(crate) fn command(root: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(OURSELVES);
    command.arg(root).arg(program).args(arguments);
    command
}

/// Becomes the program that [`command`] names.
pub(crate) fn become_program() -> ! {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let [root, program, arguments @ ..] = words.as_slice() else {
        eprintln!("tintype-init is the init of tintype's appliance; it is not to be run elsewhere");
        exit(NOT_STARTED)
    };
    let why = match enter(Path::new(root)) {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(why) => why,
    };
    eprintln!("{}: {why}", program.display());
    exit(NOT_STARTED)
}

fn enter(root: &Path) -> io::Result<()> {
    rustix::process::chroot(root)?;
    env::set_current_dir("/")
}
