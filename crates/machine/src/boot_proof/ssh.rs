//! Logging in, with the system's own SSH client.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::report::Report;
use crate::{Cancel, Error, Result};

/// A key exchange takes seconds under emulation.
const LIMIT: Duration = Duration::from_secs(60);

/// A key pair that lives for one boot.
pub(super) struct Key {
    private: PathBuf,
    /// The public key in OpenSSH's one-line form.
    pub(super) public: String,
}

/// What came of trying to log in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// It worked.
    As {
        /// The user.
        user: String,
        /// The machine-id read there.
        machine_id: String,
    },
    /// It did not.
    Refused(String),
}

impl Key {
    /// Makes a pair in `folder`.
    pub(super) fn make(folder: &Path) -> Result<Key> {
        let private = folder.join("key");
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "tintype-boot-proof", "-f"]);
        let output = command.arg(&private).output().map_err(missing("ssh-keygen"))?;
        if !output.status.success() {
            return Err(Error::Program { program: "ssh-keygen".into(), message: words(&output) });
        }
        let path = private.with_extension("pub");
        let public = fs::read_to_string(&path).map_err(Error::at(&path))?.trim().to_owned();
        Ok(Key { private, public })
    }

    /// The key's own characters, without its type and comment.
    pub(super) fn base64(&self) -> &str {
        self.public.split(' ').nth(1).unwrap_or_default()
    }
}

/// Logs in as the wanted user, or else as the first one that the instance says took the key.
pub(super) fn login(
    key: &Key,
    port: u16,
    report: &Report,
    wanted: Option<&str>,
    cancel: &Cancel,
) -> Result<Login> {
    let Some(user) = wanted.or_else(|| report.all("login").next()) else {
        return Ok(Login::Refused("no user has taken the key".into()));
    };
    let output = run(client(key, port, user), cancel)?;
    if !output.status.success() {
        return Ok(Login::Refused(format!("{user} is refused: {}", words(&output))));
    }
    let machine_id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Login::As { user: user.to_owned(), machine_id })
}

/// Nothing of the operator's own SSH configuration, agent or known hosts takes part.
fn client(key: &Key, port: u16, user: &str) -> Command {
    let mut command = Command::new("ssh");
    command
        .args(["-F", "/dev/null", "-p", &port.to_string(), "-l", user])
        .arg("-i")
        .arg(&key.private);
    for option in [
        "BatchMode=yes",
        "ConnectTimeout=30",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "LogLevel=ERROR",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
    ] {
        command.args(["-o", option]);
    }
    command.args(["127.0.0.1", "cat /etc/machine-id"]);
    command
}

fn run(mut command: Command, cancel: &Cancel) -> Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(missing("ssh"))?;
    let ended = wait(&mut child, cancel);
    if !matches!(ended, Ok(true)) {
        // Too late or unwanted: what it would say does not matter any more.
        let _ = child.kill();
    }
    let output = child.wait_with_output().map_err(Error::doing("reading from ssh"))?;
    ended.map(|_| output)
}

/// Whether it ended in time.
fn wait(child: &mut Child, cancel: &Cancel) -> Result<bool> {
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        cancel.check()?;
        if child.try_wait().map_err(Error::doing("waiting for ssh"))?.is_some() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}

fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => line.to_owned(),
        None => output.status.to_string(),
    }
}

fn missing(program: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |why| match why.kind() {
        ErrorKind::NotFound => {
            Error::ProgramMissing { program: program.into(), package: "openssh-client" }
        }
        _ => Error::Io { what: program.into(), source: why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_took_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key { private: folder.path().join("key"), public: "ssh-ed25519 AAAA c".into() };
        let refused = login(&key, 1, &Report::default(), None, &Cancel::new()).unwrap();
        assert_eq!(refused, Login::Refused("no user has taken the key".into()));
        assert_eq!(key.base64(), "AAAA");
    }

    #[test]
    fn a_closed_port_is_a_refusal_in_the_clients_words() {
        let folder = tempfile::tempdir().unwrap();
        let Ok(key) = Key::make(folder.path()) else {
            println!("skipped: no ssh-keygen");
            return;
        };
        // Nothing listens on port 1 of a test machine.
        let login = login(&key, 1, &Report::default(), Some("root"), &Cancel::new()).unwrap();
        let Login::Refused(why) = login else { panic!("let in") };
        assert!(why.contains("refused"), "{why}");
    }
}
