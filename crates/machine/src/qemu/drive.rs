//! A disk of the guest.

use std::path::PathBuf;

use serde_json::{Value, json};

/// The format of a disk image file that QEMU is to open; never guessed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveFormat {
    /// The file's bytes are the disk's.
    Raw,
    /// QEMU's own format.
    Qcow2,
}

impl DriveFormat {
    fn driver(self) -> &'static str {
        match self {
            DriveFormat::Raw => "raw",
            DriveFormat::Qcow2 => "qcow2",
        }
    }
}

/// Who writes to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Nobody: the guest sees a read-only disk.
    Denied,
    /// The guest. Its flushes reach the host's page cache only, and are not waited for: whoever
    /// keeps the file synchronizes it when the machine is off.
    Unsynced,
}

/// A virtio disk.
#[derive(Clone, Debug)]
pub struct Drive {
    /// The image file.
    pub path: PathBuf,
    /// Its format.
    pub format: DriveFormat,
    /// Who may write.
    pub writes: Writes,
    /// The serial number by which the guest can tell its disks apart; at most 20 bytes.
    pub serial: &'static str,
}

impl Drive {
    /// The argument of `-blockdev`. JSON, because a path may hold any character.
    pub(super) fn blockdev(&self, node: &str) -> Value {
        json!({
            "node-name": node,
            "driver": self.format.driver(),
            "read-only": self.writes == Writes::Denied,
            "discard": "unmap",
            "detect-zeroes": "unmap",
            "cache": { "direct": false, "no-flush": true },
            "file": {
                "driver": "file",
                "filename": self.path,
                "read-only": self.writes == Writes::Denied,
                "discard": "unmap",
                "cache": { "direct": false, "no-flush": true },
            },
        })
    }
}
