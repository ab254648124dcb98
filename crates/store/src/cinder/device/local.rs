//! Volumes that the kernel shows as a file or as a disk: read and written where they are.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::task::JoinHandle;

use super::super::attachment::Mode;
use super::{Device, Writer};
use crate::blocking::{blocking, joined};
use crate::remote::Part;
use crate::{Data, Error, PIECE, Result};

/// Pieces that are read at once, or ahead of the reader, at most.
const AHEAD: usize = 4;

/// How many bytes are written before they are waited for: so little is left to wait for at the end.
const SYNCED: u64 = 64 * 1024 * 1024;

/// What a volume is to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A regular file.
    File,
    /// A block device.
    Disk,
}

/// Where a volume is on this host.
#[derive(Debug, Clone)]
pub(super) struct Local {
    /// The store's name, for errors.
    pub(super) store: String,
    pub(super) path: PathBuf,
    pub(super) shape: Shape,
}

impl Local {
    /// Opens what is there. Neither a link is followed nor anything made: names come from a server.
    pub(super) fn open(&self, mode: Mode) -> io::Result<File> {
        let writing = mode == Mode::Write;
        let file = File::options()
            .read(!writing)
            .write(writing)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&self.path)?;
        let kind = file.metadata()?.file_type();
        let is_it = match self.shape {
            Shape::File => kind.is_file(),
            Shape::Disk => kind.is_block_device(),
        };
        match is_it {
            true => Ok(file),
            false => {
                let expected = match self.shape {
                    Shape::File => "a regular file",
                    Shape::Disk => "a block device",
                };
                Err(io::Error::other(format!("{} is not {expected}", self.path.display())))
            }
        }
    }

    /// How many bytes it has.
    pub(super) async fn length(&self) -> Result<u64> {
        let local = self.clone();
        let measured = blocking(move || length(&local.open(Mode::Read)?)).await;
        measured.map_err(|error| self.failed(error))
    }

    /// What an error of the system means.
    pub(super) fn failed(&self, error: io::Error) -> Error {
        Error::of_medium(self.store.clone(), error)
    }

    fn too_short(&self, length: u64, expected: u64) -> Error {
        let (store, path) = (self.store.clone(), self.path.display());
        let why = format!("the volume at {path} has {length} bytes, {expected} are expected");
        Error::Unavailable { store, why }
    }
}

/// How many bytes a file or a disk has.
fn length(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))
}

#[async_trait]
impl Device for Local {
    async fn read(&self, range: Range<u64>) -> Result<Data> {
        let local = self.clone();
        let opened = blocking(move || {
            let file = local.open(Mode::Read)?;
            length(&file).map(|length| (Arc::new(file), length))
        });
        let (file, length) = opened.await.map_err(|error| self.failed(error))?;
        if length < range.end {
            return Err(self.too_short(length, range.end));
        }
        let local = self.clone();
        let reads = range.clone().step_by(PIECE).map(move |offset| {
            // A piece is far shorter than lengths can say.
            let length = (range.end - offset).min(PIECE as u64) as usize;
            let file = file.clone();
            tokio::task::spawn_blocking(move || read_piece(&file, offset, length))
        });
        let pieces = stream::iter(reads).buffered(AHEAD);
        Ok(pieces.map(move |read| joined(read).map_err(|error| local.failed(error))).boxed())
    }

    async fn write(&self, room: u64) -> Result<Box<dyn Writer>> {
        let local = self.clone();
        let opened = blocking(move || {
            let file = local.open(Mode::Write)?;
            length(&file).map(|length| (Arc::new(file), length))
        });
        let (file, length) = opened.await.map_err(|error| self.failed(error))?;
        match length < room {
            true => Err(self.too_short(length, room)),
            false => {
                Ok(Box::new(Writing { local: self.clone(), file, unsynced: 0, running: None }))
            }
        }
    }
}

fn read_piece(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, offset)?;
    Ok(piece.into())
}

/// A volume that is written: one part, while the next one comes.
struct Writing {
    local: Local,
    file: Arc<File>,
    unsynced: u64,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Writing {
    /// Waits for what is under way.
    async fn wait(&mut self) -> Result<()> {
        match self.running.take() {
            Some(running) => joined(running.await).map_err(|error| self.local.failed(error)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Writer for Writing {
    async fn write(&mut self, offset: u64, part: Part) -> Result<()> {
        self.wait().await?;
        self.unsynced += part.length;
        let is_synced = self.unsynced >= SYNCED;
        if is_synced {
            self.unsynced = 0;
        }
        let file = self.file.clone();
        self.running = Some(tokio::task::spawn_blocking(move || {
            let mut offset = offset;
            for piece in &part.pieces {
                file.write_all_at(piece, offset)?;
                offset += piece.len() as u64;
            }
            if is_synced { file.sync_data() } else { Ok(()) }
        }));
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        self.wait().await?;
        let file = self.file.clone();
        let synced = blocking(move || file.sync_all()).await;
        synced.map_err(|error| self.local.failed(error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures::TryStreamExt;

    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, Local) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volume-1");
        fs::write(&path, bytes).unwrap();
        let local = Local { store: "volumes".into(), path, shape: Shape::File };
        (folder, local)
    }

    fn part(bytes: &[u8]) -> Part {
        let pieces = bytes.chunks(3).map(Bytes::copy_from_slice).collect();
        Part { pieces, length: bytes.len() as u64 }
    }

    #[tokio::test]
    async fn what_is_written_is_read_by_ranges() {
        let length = 2 * PIECE + 10;
        let (_folder, local) = file(&vec![0; length]);
        let mut writer = local.write(length as u64).await.unwrap();
        let bytes: Vec<_> = (0..length).map(|at| (at / 7) as u8).collect();
        for (number, piece) in bytes.chunks(100_000).enumerate() {
            writer.write(number as u64 * 100_000, part(piece)).await.unwrap();
        }
        writer.finish().await.unwrap();
        for range in [0..1, 5..length, PIECE - 1..PIECE + 1, 0..length] {
            let data = local.read(range.start as u64..range.end as u64).await.unwrap();
            let pieces: Vec<_> = data.try_collect().await.unwrap();
            assert!(pieces.concat() == bytes[range.clone()], "{range:?}");
        }
    }

    #[tokio::test]
    async fn a_volume_that_is_too_short_is_neither_read_nor_written() {
        let (_folder, local) = file(b"short");
        for error in [local.read(0..6).await.err(), local.write(6).await.err()] {
            let error = error.unwrap().to_string();
            assert!(error.contains("has 5 bytes, 6 are expected"), "{error}");
        }
        assert_eq!(fs::read(&local.path).unwrap(), b"short");
    }

    #[tokio::test]
    async fn nothing_but_a_file_that_is_there_is_opened() {
        let (folder, local) = file(b"bytes");
        let at = |name: &str| Local { path: folder.path().join(name), ..local.clone() };
        std::os::unix::fs::symlink("volume-1", folder.path().join("link")).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            folder.path().join("fifo"),
            rustix::fs::Mode::from_raw_mode(0o600),
        )
        .unwrap();
        for name in ["link", "fifo", ".", "none"] {
            assert!(at(name).read(0..1).await.is_err(), "{name}");
            assert!(at(name).write(1).await.is_err(), "{name}");
        }
        let disk = Local { shape: Shape::Disk, ..local };
        let error = disk.length().await.unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(!folder.path().join("none").exists());
    }
}
