//! Disk image files, as the line handles them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use disk::ByteSize;
use machine::Cancel;

use crate::recipe::{Compression, Format};
use crate::work::DiskFile;
use crate::{Error, Result};

/// Makes an overlay over a disk.
pub(crate) fn overlay(base: &DiskFile, path: &Path) -> Result<()> {
    let mut command = Command::new("qemu-img");
    command.args(["create", "-q", "-f", "qcow2", "-F", base.format.name(), "-b"]);
    qemu_img(command.arg(&base.path).arg(path)).map(drop)
}

/// The size of the disk that a guest sees.
pub(crate) fn virtual_size(disk: &DiskFile) -> Result<ByteSize> {
    let mut command = Command::new("qemu-img");
    let told = qemu_img(command.args(["info", "--output=json"]).arg(&disk.path))?;
    let told: serde_json::Value = serde_json::from_slice(&told)
        .map_err(std::io::Error::from)
        .map_err(Error::at(&disk.path))?;
    Ok(ByteSize::new(told["virtual-size"].as_u64().unwrap_or_default()))
}

/// Writes a disk and all that it lies over into one file.
pub(crate) fn convert(
    disk: &DiskFile,
    to: &Path,
    format: Format,
    compression: Compression,
    _progress: &mut dyn FnMut(u64, u64),
    _cancel: &Cancel,
) -> Result<()> {
    let mut command = Command::new("qemu-img");
    command.args(["convert", "-O", format.name()]);
    if compression == Compression::Compressed {
        command.arg("-c");
    }
    qemu_img(command.arg(&disk.path).arg(to)).map(drop)
}

/// Copies somebody's disk image into a qcow2 of ours, enlarged to a size.
pub(crate) fn import(
    path: &Path,
    to: &Path,
    size: Option<ByteSize>,
    _progress: &mut dyn FnMut(u64, u64),
    _cancel: &Cancel,
) -> Result<()> {
    let words: [&OsStr; 5] =
        ["convert".as_ref(), "-O".as_ref(), "qcow2".as_ref(), path.as_ref(), to.as_ref()];
    qemu_img(Command::new("qemu-img").args(words))?;
    if let Some(size) = size {
        let mut command = Command::new("qemu-img");
        command.args(["resize", "-q"]).arg(to).arg(size.bytes().to_string());
        qemu_img(&mut command)?;
    }
    Ok(())
}

fn qemu_img(command: &mut Command) -> Result<Vec<u8>> {
    let done = command.output().map_err(Error::doing("qemu-img"))?;
    if !done.status.success() {
        return Err(Error::Program {
            program: "qemu-img".into(),
            status: done.status.to_string(),
            output: String::from_utf8_lossy(&done.stderr).into_owned(),
        });
    }
    Ok(done.stdout)
}
