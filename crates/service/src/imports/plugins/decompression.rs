//! `image_decompression`: what comes compressed is stored as it is inside, as in Glance gzip and ZIP
//! with a single file. LHA is recognized and refused, as by a Glance without its optional module.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use image::ContainerFormat;

use super::{Bounds, Plugin, PluginError, Staged, beside, zip};

/// A compressed form: its mark, where the mark is, and how it is opened.
struct Form {
    offset: usize,
    mark: &'static [u8],
    open: fn(File) -> Result<Box<dyn Read>, PluginError>,
}

/// The marks of Glance's `MAGIC_NUMBERS`.
const FORMS: &[Form] = &[
    Form { offset: 0, mark: b"PK\x03\x04", open: zip::open },
    Form { offset: 0, mark: b"\x1f\x8b\x08", open: open_gzip },
    Form { offset: 2, mark: b"-lh", open: refuse_lha },
];

#[derive(Debug)]
pub(super) struct Decompression;

impl Plugin for Decompression {
    fn name(&self) -> &'static str {
        "image_decompression"
    }

    fn needs_file(&self) -> bool {
        true
    }

    fn change(&self, staged: Staged, bounds: &Bounds) -> Result<Staged, PluginError> {
        // A compressed container is meant to be stored as it is.
        if staged.container == ContainerFormat::Compressed {
            return Ok(staged);
        }
        let Some(form) = recognize(&staged.path)? else { return Ok(staged) };
        let path = beside(&staged.path, "uc");
        let inside = (form.open)(File::open(&staged.path)?)?;
        match write(inside, &path, bounds) {
            Ok(()) => Ok(Staged { path, ..staged }),
            Err(why) => {
                fs::remove_file(&path)?;
                Err(why)
            }
        }
    }
}

fn recognize(path: &Path) -> io::Result<Option<&'static Form>> {
    let mut head = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut head)?;
    let marked = |form: &&Form| head.get(form.offset..).is_some_and(|at| at.starts_with(form.mark));
    Ok(FORMS.iter().find(marked))
}

/// What is written at once.
const PIECE: usize = 1 << 20;

/// Writes what is inside, and stops where it grows beyond all bounds: a few bytes may hold
/// terabytes.
fn write(mut inside: Box<dyn Read>, path: &Path, bounds: &Bounds) -> Result<(), PluginError> {
    let mut file = File::create(path)?;
    let mut written = 0;
    let mut piece = vec![0; PIECE];
    while !bounds.stop.is_set() {
        let length = inside.read(&mut piece).map_err(damaged)?;
        if length == 0 {
            return Ok(());
        }
        written += length as u64;
        if written > bounds.size {
            return Err(PluginError::TooLarge(bounds.size));
        }
        file.write_all(&piece[..length])?;
    }
    Err(PluginError::Stopped)
}

/// What a decoder can't read is the data's fault, unless the system says otherwise.
fn damaged(error: io::Error) -> PluginError {
    match error.raw_os_error() {
        None => PluginError::Refused(format!("the compressed data is damaged: {error}")),
        Some(_) => error.into(),
    }
}

fn open_gzip(file: File) -> Result<Box<dyn Read>, PluginError> {
    Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 20, file))))
}

fn refuse_lha(_: File) -> Result<Box<dyn Read>, PluginError> {
    Err(PluginError::Refused("LHA archives can't be opened; use gzip or ZIP".to_owned()))
}

#[cfg(test)]
mod tests {
    use disk::PartitionTables;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use image::DiskFormat;
    use std::sync::Arc;

    use super::super::Stop;
    use super::*;

    fn change(bytes: &[u8], most: u64) -> Result<Vec<u8>, PluginError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, bytes).unwrap();
        let staged = Staged { path, disk: DiskFormat::Raw, container: ContainerFormat::Bare };
        let bounds = Bounds {
            size: most,
            format: DiskFormat::Raw,
            tables: PartitionTables::Sound,
            vmdk_types: Arc::default(),
            stop: Stop::default(),
        };
        let changed = Decompression.change(staged, &bounds)?;
        Ok(std::fs::read(changed.path).unwrap())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_opened_and_the_rest_stays() {
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(change(&members, 100).unwrap(), b"one two");
        assert_eq!(change(b"plain", 100).unwrap(), b"plain");
        assert_eq!(change(b"", 100).unwrap(), b"");
    }

    #[test]
    fn a_bomb_ends_at_the_bound() {
        let bomb = gzip(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2000);
        assert!(matches!(change(&bomb, 1 << 19), Err(PluginError::TooLarge(_))));
        assert_eq!(change(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn damage_is_an_error() {
        let whole = gzip(b"some bytes that are long enough");
        for length in [3, 12, whole.len() - 4] {
            assert!(matches!(change(&whole[..length], 100), Err(PluginError::Refused(_))));
        }
        assert!(matches!(change(b"PK\x03\x04 but no archive", 100), Err(PluginError::Refused(_))));
        assert!(matches!(change(b"!!-lh5-", 100), Err(PluginError::Refused(_))));
    }
}
