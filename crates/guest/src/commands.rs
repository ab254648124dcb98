//! The guest's own programs: its package manager, above all.

use std::io;
use std::process::ExitStatus;

/// How a room runs programs of the guest. The appliance does it in a chroot; a room without this
/// (`None` where it is asked for) can do everything that editing files can do.
pub trait Commands {
    /// Runs a program of the guest with the guest's root as `/` and an empty standard input, and
    /// waits for it. `environment` is all that it inherits besides a `PATH`. Each line of its two
    /// outputs goes to `said` as it comes. If there is a network, names can be resolved.
    ///
    /// # Errors
    /// Only if the program could not be started; a failure of its own is in the status.
    fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        said: &mut dyn FnMut(&str),
    ) -> io::Result<ExitStatus>;
}
