//! The guest's own programs, run with the guest's root as theirs.

use std::io::{self, BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ExitStatus, Stdio};
use std::thread;

use guest::Commands;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind_recursive, unmount};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};

use crate::chroot;
use crate::mounts::resolved;
use crate::name_server::NameServer;

/// Where programs are looked for, in this order.
const FOLDERS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The kernel's file systems that programs expect; they are ours.
const KERNEL: [&str; 3] = ["proc", "sys", "dev"];

/// Runs programs of the guest.
pub(crate) struct Chroot<'a> {
    root: &'a Path,
    network: bool,
}

impl<'a> Chroot<'a> {
    /// A way to run the programs of the guest whose root is mounted at `root`.
    pub(crate) fn new(root: &'a Path, network: bool) -> Self {
        Chroot { root, network }
    }

    fn has(&self, program: &str) -> bool {
        let is_there = |path: PathBuf| {
            path.strip_prefix("/").is_ok_and(|inner| resolved(self.root, inner).is_ok())
        };
        match program.contains('/') {
            true => is_there(program.into()),
            false => FOLDERS.iter().any(|folder| is_there(Path::new(folder).join(program))),
        }
    }
}

impl Commands for Chroot<'_> {
    fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        said: &mut dyn FnMut(&str),
    ) -> io::Result<ExitStatus> {
        if !self.has(program) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = if self.network { Some(NameServer::set(self.root)?) } else { None };
        let furniture = Furniture::put_into(self.root)?;
        let mut command = chroot::command(self.root, program, arguments);
        command.env_clear().env("PATH", FOLDERS.join(":")).envs(environment.iter().copied());
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        // It holds our copies of the pipe's far end.
        drop(command);
        let status = follow(child, reader, said)?;
        furniture.take_away()?;
        names.map_or(Ok(()), NameServer::reset)?;
        Ok(status)
    }
}

/// Tells what a program says until it has ended. What it left running is ended too: it would keep
/// the guest's file systems busy, and this pipe open.
fn follow(
    mut child: Child,
    reader: PipeReader,
    said: &mut dyn FnMut(&str),
) -> io::Result<ExitStatus> {
    thread::scope(|scope| {
        let ended = scope.spawn(move || {
            let status = child.wait();
            end_what_is_left()?;
            status
        });
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            said(last_written(String::from_utf8_lossy(&line).trim_end()));
            line.clear();
        }
        ended.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What a terminal shows of a line that was written over again and again: progress, mostly.
fn last_written(line: &str) -> &str {
    line.rsplit('\r').next().unwrap_or(line)
}

/// Ends every other process of the machine, and waits until they are gone. Only init may: to
/// anybody else "every process" means the host's.
fn end_what_is_left() -> io::Result<()> {
    if process::id() != 1 {
        return Ok(());
    }
    // kill(2): the process group 1, given as -1, is every process but init.
    match kill_process_group(Pid::INIT, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(why) => return Err(why.into()),
    }
    while wait(WaitOptions::empty()).is_ok() {}
    Ok(())
}

/// What stands in the guest's root only while a program runs.
struct Furniture(Vec<PathBuf>);

impl Furniture {
    fn put_into(root: &Path) -> io::Result<Furniture> {
        let mut places = Vec::new();
        for name in KERNEL {
            let place = resolved(root, Path::new(name))?;
            mount_bind_recursive(Path::new("/").join(name), &place)?;
            places.push(place);
        }
        let run = resolved(root, Path::new("run"))?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", &run, "tmpfs", flags, c"mode=0755")?;
        places.push(run);
        Ok(Furniture(places))
    }

    fn take_away(self) -> io::Result<()> {
        // Detached, because each has others below it. Nobody uses them any more.
        for place in self.0.iter().rev() {
            unmount(place, UnmountFlags::DETACH)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_changes_nothing() {
        let root = std::env::temp_dir().join(format!("tintype-chroot-{}", process::id()));
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        std::fs::write(root.join("usr/bin/true"), "").unwrap();
        let mut chroot = Chroot::new(&root, true);
        assert!(chroot.has("true") && chroot.has("/usr/bin/true"));
        let why = chroot.run("false", &[], &[], &mut |_| {}).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::NotFound);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn both_outputs_are_told_line_by_line_and_the_status_is_the_programs() {
        let (reader, writer) = io::pipe().unwrap();
        let mut command = process::Command::new("sh");
        command.args(["-c", "printf 'o\rone\r\n'; printf two >&2; exit 3"]);
        let child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        drop(command);
        let mut lines = Vec::new();
        let status = follow(child, reader, &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((status.code(), lines), (Some(3), vec!["one".to_owned(), "two".to_owned()]));
    }
}
