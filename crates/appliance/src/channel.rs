//! The job channel: a virtio-serial port to the host.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};

/// The host names a port shortly after the driver has found it.
const NAMING: Duration = Duration::from_secs(20);

/// The channel, open.
pub(crate) struct Channel {
    port: File,
}

impl Channel {
    /// Opens the port that has our name.
    pub(crate) fn open() -> Result<Channel> {
        let end = Instant::now() + NAMING;
        loop {
            if let Some(path) = named_port() {
                let port = OpenOptions::new().read(true).write(true).open(&path);
                return port.map(|port| Channel { port }).map_err(Failure::doing(path.display()));
            }
            if Instant::now() > end {
                return Err(Failure(format!("there is no port {}", appliance::CHANNEL)));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Reads the host's one line.
    pub(crate) fn order<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        BufReader::new(&self.port)
            .read_line(&mut line)
            .map_err(Failure::doing("reading the order"))?;
        serde_json::from_str(&line).map_err(Failure::doing("the order is not understood"))
    }

    /// Says something to the host. A host that does not listen any more has stopped us, or is
    /// about to.
    pub(crate) fn say(&mut self, message: &impl Serialize) {
        if let Err(why) = self.write(message) {
            eprintln!("tintype-init: the host cannot be told: {why}");
        }
    }

    fn write(&mut self, message: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.port.write_all(&line)
    }
}

fn named_port() -> Option<PathBuf> {
    let ports = fs::read_dir("/sys/class/virtio-ports").ok()?;
    let port = ports.flatten().find(|port| {
        fs::read_to_string(port.path().join("name"))
            .is_ok_and(|name| name.trim_end() == appliance::CHANNEL)
    })?;
    Some(PathBuf::from("/dev").join(port.file_name()))
}
