//! Undoing the compressions that distributions give their kernels and modules.
//!
//! LZ4, which Debian's cloud kernel has, is undone here; the others by the programs that every
//! distribution with such kernels ships.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Error, Result};

/// How bytes are compressed, known by how they begin.
struct Compression {
    magic: &'static [u8],
    undo: Undo,
    /// Whether a kernel's payload carries its size in four bytes behind the stream
    /// (`size_append` in the kernel's `scripts/Makefile.lib`); gzip has it inside.
    sized: bool,
}

enum Undo {
    Lz4Legacy,
    Program { name: &'static str, package: &'static str },
}

const KNOWN: &[Compression] = &[
    Compression { magic: &[0x02, 0x21, 0x4c, 0x18], undo: Undo::Lz4Legacy, sized: true },
    Compression {
        magic: &[0x1f, 0x8b],
        undo: Undo::Program { name: "gzip", package: "gzip" },
        sized: false,
    },
    Compression {
        magic: &[0xfd, b'7', b'z', b'X', b'Z', 0],
        undo: Undo::Program { name: "xz", package: "xz-utils" },
        sized: true,
    },
    Compression {
        magic: &[0x28, 0xb5, 0x2f, 0xfd],
        undo: Undo::Program { name: "zstd", package: "zstd" },
        sized: true,
    },
];

/// LZ4's legacy frame: every block but the last holds this much (lz4_Frame_format.md, "Legacy
/// frame").
const LZ4_BLOCK: usize = 8 << 20;

/// A file's content, decompressed when it is compressed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(Error::at(path))?;
    match KNOWN.iter().find(|known| bytes.starts_with(known.magic)) {
        Some(known) => known.undo(&bytes, path),
        None => Ok(bytes),
    }
}

/// A kernel's payload, decompressed; `path` is the kernel, for errors.
pub(super) fn payload(bytes: &[u8], path: &Path) -> Result<Vec<u8>> {
    let known = KNOWN.iter().find(|known| bytes.starts_with(known.magic));
    let known = known.ok_or_else(|| unusable(path, "its compression is not known"))?;
    let end = if known.sized { bytes.len().saturating_sub(4) } else { bytes.len() };
    known.undo(&bytes[..end], path)
}

impl Compression {
    fn undo(&self, bytes: &[u8], path: &Path) -> Result<Vec<u8>> {
        match self.undo {
            Undo::Lz4Legacy => lz4_legacy(&bytes[self.magic.len()..])
                .ok_or_else(|| unusable(path, "its LZ4 stream is damaged")),
            Undo::Program { name, package } => filter(name, package, bytes),
        }
    }
}

fn lz4_legacy(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    while let Some((size, after)) = rest.split_first_chunk::<4>() {
        let size = u32::from_le_bytes(*size) as usize;
        let (block, after) = after.split_at_checked(size)?;
        content.extend(lz4_flex::block::decompress(block, LZ4_BLOCK).ok()?);
        rest = after;
    }
    rest.is_empty().then_some(content)
}

/// Through files, so that neither end of a pipe can wait for the other.
fn filter(name: &str, package: &'static str, bytes: &[u8]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().map_err(Error::doing("making a temporary folder"))?;
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    fs::write(&input, bytes).map_err(Error::at(&input))?;
    let mut command = Command::new(name);
    command
        .arg("-dc")
        .stdin(File::open(&input).map_err(Error::at(&input))?)
        .stdout(Stdio::from(File::create(&output).map_err(Error::at(&output))?));
    super::archive::run(&mut command, package)?;
    fs::read(&output).map_err(Error::at(&output))
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::KernelUnusable { path: path.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lz4(content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x02, 0x21, 0x4c, 0x18];
        for piece in content.chunks(LZ4_BLOCK) {
            let block = lz4_flex::block::compress(piece);
            bytes.extend((block.len() as u32).to_le_bytes());
            bytes.extend(block);
        }
        bytes
    }

    #[test]
    fn an_lz4_payload_of_two_blocks_is_undone() {
        let content: Vec<u8> = (0..LZ4_BLOCK + 1000).map(|n| (n / 100) as u8).collect();
        let mut bytes = lz4(&content);
        bytes.extend((content.len() as u32).to_le_bytes());
        assert!(payload(&bytes, Path::new("k")).unwrap() == content);
    }

    #[test]
    fn a_cut_lz4_stream_is_an_error() {
        let bytes = lz4(b"some content that is long enough to be a block of its own");
        assert!(payload(&bytes, Path::new("k")).is_err());
    }

    #[test]
    fn an_unknown_compression_is_named_as_such() {
        let error = payload(b"BZh9", Path::new("/boot/k")).unwrap_err().to_string();
        assert!(error.contains("/boot/k") && error.contains("compression"), "{error}");
    }

    #[test]
    fn a_gzip_file_is_undone_and_a_plain_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.ko");
        fs::write(&path, "module").unwrap();
        assert_eq!(read(&path).unwrap(), b"module");
        if Command::new("gzip").arg("-n").arg(&path).status().is_err() {
            println!("skipped: gzip is not installed");
            return;
        }
        assert_eq!(read(&folder.path().join("m.ko.gz")).unwrap(), b"module");
    }
}
