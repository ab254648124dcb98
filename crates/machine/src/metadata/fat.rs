//! A small FAT disk with a label and a few files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions};

use super::SeedFile;
use crate::{Error, Result};

/// Four times what Nova gives a config drive's content at most is needless; 8 MiB hold user data
/// of any size that a cloud accepts (64 KiB) and still make a well-formed FAT16.
const SIZE: u64 = 8 << 20;

/// FAT's label field, padded with spaces.
const LABEL_LENGTH: usize = 11;

/// Writes the disk to `path`, replacing what is there.
pub(super) fn write(path: &Path, label: &str, files: &[SeedFile]) -> Result<()> {
    fill(path, label, files).map_err(Error::at(path))
}

fn fill(path: &Path, label: &str, files: &[SeedFile]) -> io::Result<()> {
    let disk = formatted(path, label)?;
    let volume = FileSystem::new(&disk, FsOptions::new())?;
    for file in files {
        add(&volume, file)?;
    }
    volume.unmount()
}

fn formatted(path: &Path, label: &str) -> io::Result<File> {
    let disk = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    disk.set_len(SIZE)?;
    let mut field = [b' '; LABEL_LENGTH];
    field[..label.len()].copy_from_slice(label.as_bytes());
    fatfs::format_volume(&disk, FormatVolumeOptions::new().volume_label(field))?;
    Ok(disk)
}

fn add(volume: &FileSystem<&File>, file: &SeedFile) -> io::Result<()> {
    let mut folder = volume.root_dir();
    let mut parts: Vec<&str> = file.path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    for part in parts {
        folder = folder.create_dir(part)?;
    }
    folder.create_file(name)?.write_all(file.content.as_bytes())
}
