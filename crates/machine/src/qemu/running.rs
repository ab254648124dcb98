//! A virtual machine that runs.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::console::{Tail, readable};
use super::{Screen, leash};
use crate::{Cancel, Error, Result};

/// How often a waiting owner looks whether it should stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Lines that may wait for their reader; then QEMU waits.
const QUEUE: usize = 1024;

/// A longer line is cut here: a guest cannot fill our memory.
const LONGEST: usize = 16 << 20;

/// A line that the guest said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// On its serial console; without control characters.
    Console(String),
    /// Over the job channel.
    Channel(String),
}

/// A running QEMU. It is killed when this is dropped.
pub struct Running {
    child: Child,
    said: Receiver<Said>,
    console: Tail,
    complaints: Complaints,
    started: Instant,
    limit: Duration,
}

impl Running {
    /// Starts QEMU with the job channel as descriptor 0 and the console as descriptor 1.
    pub(super) fn start(
        mut command: Command,
        order: Option<Vec<u8>>,
        limit: Duration,
    ) -> Result<Running> {
        let (channel, channel_end) = socket_pair()?;
        let (console, console_end) = socket_pair()?;
        leash::tie(&mut command)
            .stdin(Stdio::from(channel_end))
            .stdout(Stdio::from(console_end))
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::doing("starting QEMU"))?;
        // The command holds its own copies of the sockets' far ends: without this drop nobody
        // would ever see them closed.
        drop(command);
        let (sender, said) = sync_channel(QUEUE);
        let tail = Tail::default();
        read_console(console, tail.clone(), sender.clone());
        serve_channel(channel, order, sender)?;
        let complaints = Complaints::read(child.stderr.take());
        Ok(Running { child, said, console: tail, complaints, started: Instant::now(), limit })
    }

    /// The next line; none when the machine is off.
    ///
    /// # Errors
    /// [`Error::TimedOut`] past the machine's limit, naming `waiting_for`; [`Error::Cancelled`].
    pub fn next(&self, waiting_for: &str, cancel: &Cancel) -> Result<Option<Said>> {
        loop {
            cancel.check()?;
            self.in_time(waiting_for)?;
            match self.said.recv_timeout(GLANCE) {
                Ok(said) => return Ok(Some(said)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Waits until the machine is off.
    ///
    /// # Errors
    /// As [`Running::next`], and [`Error::Stopped`] when QEMU failed.
    pub fn finish(mut self, cancel: &Cancel) -> Result<()> {
        let status = self.wait(cancel)?;
        if status.success() { Ok(()) } else { Err(self.stopped(&status)) }
    }

    /// Why the machine is off although its guest had not finished.
    pub fn why_stopped(mut self, cancel: &Cancel) -> Error {
        match self.wait(cancel) {
            Ok(status) => self.stopped(&status),
            Err(error) => error,
        }
    }

    /// The end of what the serial console said.
    pub fn screen(&self) -> Screen {
        self.console.screen()
    }

    /// How long the machine has run.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    fn wait(&mut self, cancel: &Cancel) -> Result<ExitStatus> {
        while self.next("power-off", cancel)?.is_some() {}
        loop {
            cancel.check()?;
            self.in_time("the end of QEMU")?;
            if let Some(status) = self.child.try_wait().map_err(Error::doing("waiting for QEMU"))? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn in_time(&self, waiting_for: &str) -> Result<()> {
        if self.age() < self.limit {
            return Ok(());
        }
        Err(Error::TimedOut {
            what: waiting_for.to_owned(),
            limit: self.limit,
            screen: self.screen(),
        })
    }

    fn stopped(&mut self, status: &ExitStatus) -> Error {
        let words = self.complaints.all().lines().join("; ");
        let why = match words.as_str() {
            "" if status.success() => "it switched itself off".to_owned(),
            "" => status.to_string(),
            _ => words,
        };
        Error::Stopped { why, screen: self.screen() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either it has ended already, which makes both harmless, or it must end now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn socket_pair() -> Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair().map_err(Error::doing("making a socket pair"))?;
    Ok((ours, theirs.into()))
}

fn read_console(console: UnixStream, tail: Tail, sender: SyncSender<Said>) {
    thread::spawn(move || {
        lines(
            console,
            |bytes| tail.add(bytes),
            |line| sender.send(Said::Console(readable(line))).is_ok(),
        )
    });
}

/// Says the order, if any, and reads what comes back. The order has a thread of its own: QEMU
/// takes it only when the guest has opened its end.
fn serve_channel(
    channel: UnixStream,
    order: Option<Vec<u8>>,
    sender: SyncSender<Said>,
) -> Result<()> {
    if let Some(order) = order {
        let mut writer = channel.try_clone().map_err(Error::doing("copying a socket"))?;
        // A failed write is a machine that stopped, which the owner learns from its silence.
        thread::spawn(move || writer.write_all(&order));
    }
    thread::spawn(move || {
        lines(channel, |_| (), |line| sender.send(Said::Channel(line.to_owned())).is_ok())
    });
    Ok(())
}

/// What QEMU itself says: its standard error.
struct Complaints {
    tail: Tail,
    reader: Option<JoinHandle<()>>,
}

impl Complaints {
    fn read(stderr: Option<ChildStderr>) -> Self {
        let tail = Tail::default();
        let copy = tail.clone();
        let reader = stderr
            .map(|stderr| thread::spawn(move || lines(stderr, |bytes| copy.add(bytes), |_| true)));
        Complaints { tail, reader }
    }

    /// All of it; waits for its end, so QEMU must be off.
    fn all(&mut self) -> Screen {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has nothing to add.
            let _ = reader.join();
        }
        self.tail.screen()
    }
}

/// Reads lines until the end, or until `line` says that nobody listens.
fn lines(mut from: impl Read, bytes: impl Fn(&[u8]), line: impl Fn(&str) -> bool) {
    let mut piece = [0; 16 << 10];
    let mut unfinished = Vec::new();
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => &piece[..read],
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        bytes(read);
        for part in read.split_inclusive(|&byte| byte == b'\n') {
            unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") || unfinished.len() > LONGEST {
                if !line(String::from_utf8_lossy(&unfinished).trim_end_matches(['\r', '\n'])) {
                    return;
                }
                unfinished.clear();
            }
        }
    }
    if !unfinished.is_empty() {
        line(&String::from_utf8_lossy(&unfinished));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let text = b"one\r\ntwo\nrest".as_slice();
        let got = RefCell::new(Vec::new());
        lines(
            text,
            |_| (),
            |line| {
                got.borrow_mut().push(line.to_owned());
                true
            },
        );
        assert_eq!(got.into_inner(), ["one", "two", "rest"]);
    }

    #[test]
    fn a_machine_past_its_limit_is_an_error_with_its_console() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo last words; exec sleep 60"]);
        let running = Running::start(command, None, Duration::from_millis(300)).unwrap();
        let cancel = Cancel::new();
        assert_eq!(running.next("x", &cancel).unwrap(), Some(Said::Console("last words".into())));
        let error = running.next("a marker", &cancel).unwrap_err().to_string();
        assert!(error.contains("a marker did not happen"), "{error}");
        assert!(error.contains("last words"), "{error}");
    }

    #[test]
    fn a_cancelled_machine_stops_being_waited_for() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let running = Running::start(command, None, Duration::from_secs(60)).unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(running.next("x", &cancel), Err(Error::Cancelled)));
    }

    #[test]
    fn a_failing_machine_is_reported_in_its_own_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such board >&2; exit 1"]);
        let running = Running::start(command, None, Duration::from_secs(10)).unwrap();
        let error = running.finish(&Cancel::new()).unwrap_err().to_string();
        assert!(error.contains("no such board"), "{error}");
    }

    #[test]
    fn an_order_reaches_the_channel() {
        let mut command = Command::new("sh");
        command.args(["-c", "read line; echo \"got $line\" >&0"]);
        let running =
            Running::start(command, Some(b"work\n".to_vec()), Duration::from_secs(10)).unwrap();
        let said = running.next("an echo", &Cancel::new()).unwrap();
        assert_eq!(said, Some(Said::Channel("got work".into())));
    }
}
