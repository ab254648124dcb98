//! The machine that an image boots on.

use std::net::TcpListener;
use std::path::Path;

use disk::{Backing, ByteSize, Options};
use uuid::Uuid;

use super::{BootProof, script, ssh};
use crate::metadata::Instance;
use crate::qemu::{Card, Drive, DriveFormat, Machine, Reach, Running, Writes};
use crate::{Error, Result};

/// What a small flavor has.
const MEMORY_MIB: u32 = 1024;
const PROCESSORS: u32 = 2;

/// The serial numbers of the disks.
const IMAGE: &str = "tintype-image";
const SEED: &str = "tintype-seed";

/// An image that boots.
pub(super) struct Booted {
    pub(super) running: Running,
    pub(super) instance: Instance,
    pub(super) key: ssh::Key,
    pub(super) port: u16,
}

/// Starts the image on an overlay in `work`, with a seed of the wanted kind.
pub(super) fn boot(proof: &BootProof, work: &Path) -> Result<Booted> {
    let key = ssh::Key::make(work)?;
    let instance = instance(&key);
    let seed = work.join("seed");
    instance.write_seed(proof.seed, &seed)?;
    let overlay = work.join("overlay.qcow2");
    create_overlay(proof, &overlay)?;
    let port = free_port()?;
    let machine = Machine {
        accelerator: proof.accelerator,
        processors: PROCESSORS,
        memory_mib: MEMORY_MIB,
        boot: None,
        drives: vec![
            drive(&overlay, DriveFormat::Qcow2, Writes::Unsynced, IMAGE),
            drive(&seed, DriveFormat::Raw, Writes::Denied, SEED),
        ],
        card: Some(Card { mac: instance.mac.clone(), ssh_port: Some(port), reach: Reach::Nothing }),
        order: None,
        limit: proof.limit,
    };
    Ok(Booted { running: machine.start()?, instance, key, port })
}

/// An instance that no other resembles: its identity, name and card are made for this boot.
fn instance(key: &ssh::Key) -> Instance {
    let id = Uuid::new_v4();
    let [a, b, c, ..] = *id.as_bytes();
    Instance {
        id: id.to_string(),
        hostname: format!("proof-{a:02x}{b:02x}{c:02x}"),
        public_keys: vec![key.public.clone()],
        user_data: script::user_data(key.base64(), IMAGE),
        // OpenStack's own prefix for the cards of instances.
        mac: format!("fa:16:3e:{a:02x}:{b:02x}:{c:02x}"),
    }
}

fn drive(path: &Path, format: DriveFormat, writes: Writes, serial: &'static str) -> Drive {
    Drive { path: path.to_owned(), format, writes, serial }
}

/// A port that was free a moment ago; should another program take it first, QEMU says so.
fn free_port() -> Result<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::doing("looking for a free port"))
}

/// An enlarged copy-on-write layer over the image.
fn create_overlay(proof: &BootProof, overlay: &Path) -> Result<()> {
    let format = match proof.format {
        DriveFormat::Raw => "raw",
        DriveFormat::Qcow2 => "qcow2",
    };
    // A relative name would be looked for beside the overlay.
    let file = std::path::absolute(&proof.image).map_err(Error::at(&proof.image))?;
    let backing = Some(Backing { file, format: format.to_owned() });
    let options = Options { backing, ..Options::default() };
    let size = Some(ByteSize::new(proof.disk_size));
    disk::create(overlay, "qcow2", size, &options).map_err(Error::Disk)
}
