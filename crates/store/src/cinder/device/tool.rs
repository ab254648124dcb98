//! Programs of the system that need root. A service that is not root has them through `sudo -n`, as far as
//! it is allowed to: docs/operating.md has the rules for it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Where such programs are, which a service's `PATH` often lacks.
const PLACES: &str = "/usr/local/sbin:/usr/sbin:/sbin";

/// How long a program may take. A target that is away is asked for two minutes by open-iscsi's
/// defaults, and a server of NFS as long.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much of what a program says is told.
const TOLD: usize = 400;

/// What came of a program that ended well or badly.
pub(in crate::cinder) struct Ended {
    /// Its exit status; `None` where a signal has ended it.
    pub(in crate::cinder) code: Option<i32>,
    pub(in crate::cinder) stdout: String,
    stderr: String,
}

/// How programs are run.
#[derive(Debug, Clone)]
pub(in crate::cinder) struct Tools {
    /// Where they are looked for.
    path: OsString,
    /// Whether this process is root itself.
    is_root: bool,
}

impl Tools {
    pub(in crate::cinder) fn of_system() -> Self {
        Self { path: path(), is_root: rustix::process::geteuid().is_root() }
    }

    /// Stand-ins, in a folder of a test.
    #[cfg(test)]
    pub(super) fn of_folder(folder: &std::path::Path) -> Self {
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(self::path());
        Self { path, is_root: true }
    }

    /// Runs a program as root, with `input` to read; whatever its exit status is. Errors, in words: it
    /// can't be started, or takes too long.
    pub(in crate::cinder) async fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> Result<Ended, String> {
        let mut command = match self.is_root {
            true => Command::new(program),
            false => {
                let mut command = Command::new("sudo");
                command.args(["-n", "--", program]);
                command
            }
        };
        command.args(arguments).env("PATH", &self.path).env("LC_ALL", "C").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = timeout(PATIENCE, ended(command, input)).await;
        let ended = ended.map_err(|_| format!("{program} does not end within {PATIENCE:?}"))?;
        let output = ended.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if self.is_root => format!("{program} is not installed"),
            io::ErrorKind::NotFound => {
                format!("{program} needs root: run the service as root, or install sudo")
            }
            _ => format!("{program} can't be run: {error}"),
        })?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (code, stdout, stderr) =
            (output.status.code(), text(output.stdout), text(output.stderr));
        if !self.is_root && stderr.starts_with("sudo:") {
            return Err(format!(
                "{program} needs root, and sudo refuses it ({}): allow it as docs/operating.md says",
                shown(&stderr)
            ));
        }
        Ok(Ended { code, stdout, stderr })
    }
}

/// Gives a program what it reads, and waits for its end.
async fn ended(mut command: Command, input: &str) -> io::Result<Output> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take()
        // One that does not read says why by its exit status.
        && let Err(error) = stdin.write_all(input.as_bytes()).await
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(error);
    }
    child.wait_with_output().await
}

impl Ended {
    /// Fails unless the exit status is one of these. `what` it was is told, and what the program says.
    pub(in crate::cinder) fn expect(self, what: &str, codes: &[i32]) -> Result<Self, String> {
        match self.code {
            Some(code) if codes.contains(&code) => Ok(self),
            Some(code) => Err(format!("{what} fails with status {code}: {}", shown(&self.stderr))),
            None => Err(format!("{what} was ended by a signal")),
        }
    }

    /// The same where what the program says may have secrets.
    pub(in crate::cinder) fn expect_silently(self, what: &str) -> Result<(), String> {
        match self.code {
            Some(0) => Ok(()),
            Some(code) => Err(format!("{what} fails with status {code}")),
            None => Err(format!("{what} was ended by a signal")),
        }
    }
}

fn path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(PLACES);
    path
}

/// What a program says, in one line.
fn shown(said: &str) -> String {
    let words: Vec<_> = said.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "it says nothing".to_owned(),
        None => line,
    }
}

#[cfg(test)]
pub(super) mod stand_in {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// A program of a test's own, which is a script of the shell.
    pub(in crate::cinder::device) fn program(folder: &Path, name: &str, script: &str) {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_told_by_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::of_folder(folder.path());
        stand_in::program(folder.path(), "fails", "echo 'no such\nthing' >&2; exit 21");
        let failed = async || tools.run("fails", &[], "").await.unwrap();
        assert!(failed().await.expect("it", &[0, 21]).is_ok());
        let why = failed().await.expect("it", &[0]).err().unwrap();
        assert_eq!(why, "it fails with status 21: no such thing");
        assert_eq!(failed().await.expect_silently("it").unwrap_err(), "it fails with status 21");
    }

    #[tokio::test]
    async fn a_program_reads_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let tools = Tools::of_folder(folder.path());
        let ended = tools.run("cat", &[], "input").await.unwrap();
        assert_eq!(ended.expect("cat", &[0]).ok().unwrap().stdout, "input");
        // One that does not read it, of more than a pipe holds.
        assert!(tools.run("true", &[], &"x".repeat(1 << 20)).await.is_ok());
    }

    #[tokio::test]
    async fn a_program_that_can_not_be_had_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str().to_owned();
        for (is_root, sudo, expected) in [
            (true, None, "mount is not installed"),
            (false, None, "mount needs root: run the service as root, or install sudo"),
            (
                false,
                Some("echo sudo: a password is required >&2; exit 1"),
                "mount needs root, and sudo refuses it (sudo: a password is required): allow it as \
                 docs/operating.md says",
            ),
        ] {
            if let Some(script) = sudo {
                stand_in::program(folder.path(), "sudo", script);
            }
            let tools = Tools { path: path.clone(), is_root };
            assert_eq!(tools.run("mount", &[], "").await.err().unwrap(), expected);
        }
    }

    #[test]
    fn what_is_said_is_told_in_a_line() {
        assert_eq!(shown(" a\n b\n"), "a b");
        assert_eq!(shown(""), "it says nothing");
        assert_eq!(shown(&"x".repeat(TOLD + 1)).chars().count(), TOLD + 1);
    }
}
