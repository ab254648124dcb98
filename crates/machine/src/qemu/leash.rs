//! Tying a child's life to ours.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};

/// Has the kernel kill the child when the thread that starts it ends, however that happens: a
/// virtual machine never outlives a `tintype` that was killed. Whoever starts the child waits for
/// it on the same thread. The child also leaves our process group, so that Ctrl-C reaches us
/// alone and the machine is ended in order.
pub(super) fn tie(command: &mut Command) -> &mut Command {
    // SAFETY: the closure runs between fork and exec, where only async-signal-safe calls are
    // allowed; it makes one `prctl` system call, allocates nothing and takes no lock.
    unsafe { command.process_group(0).pre_exec(die_with_parent) }
}

fn die_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
