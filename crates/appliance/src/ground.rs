//! The ground that everything else stands on: the kernel's own file systems, and the end.

use std::fs;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};

use crate::failure::{Failure, Result};

/// Mounts what init and the guest's commands expect.
pub(crate) fn mount_kernel_file_systems() -> Result<()> {
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    for (kind, place, flags, options) in [
        ("proc", "/proc", safe, c""),
        ("sysfs", "/sys", safe, c""),
        ("devtmpfs", "/dev", MountFlags::NOSUID, c"mode=0755"),
        ("devpts", "/dev/pts", MountFlags::NOSUID | MountFlags::NOEXEC, c"mode=0620,ptmxmode=0666"),
        ("tmpfs", "/dev/shm", MountFlags::NOSUID | MountFlags::NODEV, c"mode=1777"),
        ("tmpfs", "/run", MountFlags::NOSUID | MountFlags::NODEV, c"mode=0755"),
    ] {
        fs::create_dir_all(place).map_err(Failure::doing(place))?;
        mount(kind, place, kind, flags, options).map_err(Failure::doing(place))?;
    }
    for (link, target) in [("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0")] {
        std::os::unix::fs::symlink(target, link).map_err(Failure::doing(link))?;
    }
    Ok(())
}

/// Whether the kernel's command line has this word.
pub(crate) fn command_line_has(word: &str) -> bool {
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    line.split_whitespace().any(|found| found == word)
}

/// Ends the machine. Should the kernel refuse, init's end is a panic, which ends it too.
pub(crate) fn power_off() {
    rustix::fs::sync();
    if let Err(why) = reboot(RebootCommand::PowerOff) {
        eprintln!("tintype-init: power-off is refused: {why}");
    }
}
