//! Running a program of the system: its words are passed on, it ends with us, and when it fails
//! its last words are in the error.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use machine::Cancel;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Error, Result};

/// How often a cancellation is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a program may tidy up after it was asked to end. mmdebstrap removes a tree of a gigabyte,
/// which takes a busy disk 15 s, and which nobody else may remove for an ordinary user.
const GRACE: Duration = Duration::from_secs(120);

/// Lines that an error shows.
const LAST_WORDS: usize = 25;

/// Runs a program to its end; `on_line` hears each line of its standard error.
///
/// # Errors
/// [`Error::Program`] with its last lines; [`Error::Cancelled`], when it and all that it started
/// have ended.
pub(crate) fn run(
    mut command: Command,
    on_line: &mut dyn FnMut(&str),
    cancel: &Cancel,
) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A group of its own: a Ctrl-C at the terminal is ours to pass on, once.
        .process_group(0)
        .spawn()
        .map_err(Error::doing(&program))?;
    let mut running = Running(child);
    let last_words = running.listen(on_line, cancel)?;
    let status = running.0.wait().map_err(Error::doing(&program))?;
    if status.success() {
        return Ok(());
    }
    let output = last_words.into_iter().collect::<Vec<_>>().join("\n");
    Err(Error::Program { program, status: status.to_string(), output })
}

/// A program that is ended when this goes out of scope.
struct Running(Child);

impl Running {
    /// Passes lines on until the program has said its last; gives the end of what it said.
    fn listen(
        &mut self,
        on_line: &mut dyn FnMut(&str),
        cancel: &Cancel,
    ) -> Result<VecDeque<String>> {
        let (sender, lines) = mpsc::sync_channel(64);
        let errors = self.0.stderr.take();
        thread::spawn(move || {
            for line in errors.into_iter().flat_map(lines_of) {
                // Read to the end even when nobody listens any more: a closed pipe would end the
                // program in the middle of its tidying up.
                let _ = sender.send(line);
            }
        });
        let mut last_words = VecDeque::new();
        loop {
            cancel.check()?;
            match lines.recv_timeout(GLANCE) {
                Ok(line) => {
                    on_line(&line);
                    last_words.push_back(line);
                    if last_words.len() > LAST_WORDS {
                        last_words.pop_front();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(last_words),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            // A group that is gone already is as good.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(Signal::TERM);
        let end = Instant::now() + GRACE;
        while Instant::now() < end && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(GLANCE);
        }
        self.signal(Signal::KILL);
        let _ = self.0.wait();
    }
}

/// Lines that end in a line feed or, as progress does, in a carriage return.
fn lines_of(output: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(output).split(b'\n').map_while(|line| line.ok());
    lines.filter_map(|line| {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end().rsplit('\r').next().unwrap_or_default().trim_end();
        (!line.is_empty()).then(|| line.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_alive(process: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    }

    #[test]
    fn lines_are_heard_and_are_in_the_error() {
        let mut heard = Vec::new();
        let command = shell("echo one >&2; printf '10%%\\r20%%\\n' >&2; exit 3");
        let why = run(command, &mut |line| heard.push(line.to_owned()), &Cancel::new());
        assert_eq!(heard, ["one", "20%"]);
        let why = why.unwrap_err().to_string();
        assert!(why.contains("exit status: 3") && why.ends_with("one\n20%"), "{why}");
    }

    #[test]
    fn a_cancelled_program_ends_with_all_that_it_started() {
        let cancel = Cancel::new();
        let mut children = String::new();
        let command = shell("sleep 600 & echo $! >&2; wait");
        let started = &mut |line: &str| {
            children = line.to_owned();
            cancel.cancel();
        };
        assert!(matches!(run(command, started, &cancel), Err(Error::Cancelled)));
        // A signal needs a moment to be felt; one that was not sent is never felt.
        let end = Instant::now() + Duration::from_secs(10);
        while is_alive(&children) {
            assert!(Instant::now() < end, "{children} goes on");
            thread::yield_now();
        }
    }
}
