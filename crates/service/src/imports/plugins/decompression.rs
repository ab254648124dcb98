//! `image_decompression`: what comes compressed is stored as it is inside, as in Glance gzip and ZIP
//! with a single file. LHA is recognized and refused, as by a Glance without its optional module.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use image::ContainerFormat;

use super::{Bounds, Plugin, PluginError, Staged, beside};

/// A compressed form: its mark, where the mark is, and how it is opened.
struct Form {
    offset: usize,
    mark: &'static [u8],
    open: fn(File) -> Result<Box<dyn Read>, PluginError>,
}

/// The marks of Glance's `MAGIC_NUMBERS`.
const FORMS: &[Form] = &[
    Form { offset: 0, mark: b"PK\x03\x04", open: open_zip },
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

    fn change(&self, staged: Staged, bounds: Bounds) -> Result<Staged, PluginError> {
        // A compressed container is meant to be stored as it is.
        if staged.container == ContainerFormat::Compressed {
            return Ok(staged);
        }
        let Some(form) = recognize(&staged.path)? else { return Ok(staged) };
        let path = beside(&staged.path, "uc");
        let inside = (form.open)(File::open(&staged.path)?)?;
        write(inside, &path, bounds.size)?;
        Ok(Staged { path, ..staged })
    }
}

fn recognize(path: &Path) -> io::Result<Option<&'static Form>> {
    let mut head = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut head)?;
    let marked = |form: &&Form| head.get(form.offset..).is_some_and(|at| at.starts_with(form.mark));
    Ok(FORMS.iter().find(marked))
}

/// Writes what is inside, and stops where it grows beyond all bounds: a few bytes may hold
/// terabytes.
fn write(inside: Box<dyn Read>, path: &Path, most: u64) -> Result<(), PluginError> {
    let mut file = File::create(path)?;
    let written = io::copy(&mut inside.take(most.saturating_add(1)), &mut file);
    let written = written.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            PluginError::Refused(format!("the compressed data is damaged: {error}"))
        }
        _ => error.into(),
    })?;
    if written > most {
        return Err(PluginError::TooLarge(most));
    }
    Ok(file.flush()?)
}

fn open_gzip(file: File) -> Result<Box<dyn Read>, PluginError> {
    Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 20, file))))
}

fn refuse_lha(_: File) -> Result<Box<dyn Read>, PluginError> {
    Err(PluginError::Refused("LHA archives can't be opened; use gzip or ZIP".to_owned()))
}

fn open_zip(file: File) -> Result<Box<dyn Read>, PluginError> {
    zip::open(file)
}

/// ZIP archives of one file, stored or deflated. Reference: PKWARE's APPNOTE.TXT, sections 4.3.12,
/// 4.3.14 to 4.3.16 and 4.5.3.
mod zip {
    use std::os::unix::fs::FileExt;

    use super::{BufReader, DeflateDecoder, File, PluginError, Read};

    const END: &[u8] = b"PK\x05\x06";
    const END_SIZE: usize = 22;
    const END64: &[u8] = b"PK\x06\x06";
    const LOCATOR64: &[u8] = b"PK\x06\x07";
    const LOCATOR64_SIZE: u64 = 20;
    const ENTRY: &[u8] = b"PK\x01\x02";
    const ENTRY_SIZE: usize = 46;
    const LOCAL: &[u8] = b"PK\x03\x04";
    const LOCAL_SIZE: usize = 30;
    /// The longest comment behind the end record.
    const LONGEST_COMMENT: u64 = 0xffff;
    /// "See the ZIP64 extra field."
    const BEYOND: u64 = 0xffff_ffff;

    pub(super) fn open(file: File) -> Result<Box<dyn Read>, PluginError> {
        let length = file.metadata()?.len();
        let (entries, directory) = end(&file, length)?;
        if entries != 1 {
            return Err(bad("the archive holds more than one file, or none"));
        }
        let entry = entry(&file, directory)?;
        if entry.encrypted {
            return Err(bad("the archive is encrypted"));
        }
        let local = read(&file, entry.local, LOCAL_SIZE)?;
        expect(&local, LOCAL)?;
        let names = u64::from(u16_at(&local, 26)?) + u64::from(u16_at(&local, 28)?);
        let start = entry.local.saturating_add(LOCAL_SIZE as u64 + names);
        if start.saturating_add(entry.compressed) > length {
            return Err(bad("the archive ends early"));
        }
        let data = Section { file, offset: start }.take(entry.compressed);
        let data = BufReader::with_capacity(1 << 20, data);
        match entry.method {
            0 => Ok(Box::new(data)),
            8 => Ok(Box::new(DeflateDecoder::new(data))),
            method => Err(bad(&format!("the archive's compression method {method} is unknown"))),
        }
    }

    /// Entries of the archive, and where its directory is.
    fn end(file: &File, length: u64) -> Result<(u64, u64), PluginError> {
        let from = length.saturating_sub(LONGEST_COMMENT + END_SIZE as u64);
        let tail = read(file, from, usize::try_from(length - from).unwrap_or(0))?;
        let place = tail.windows(END.len()).rposition(|window| window == END);
        let place = place.ok_or_else(|| bad("the archive has no end"))?;
        let record = &tail[place..];
        let (entries, directory) = (u64::from(u16_at(record, 10)?), u64::from(u32_at(record, 16)?));
        if directory != BEYOND {
            return Ok((entries, directory));
        }
        let locator = (from + place as u64).checked_sub(LOCATOR64_SIZE);
        let locator = locator.ok_or_else(|| bad("the archive has no end"))?;
        let locator = read(file, locator, LOCATOR64_SIZE as usize)?;
        expect(&locator, LOCATOR64)?;
        let record = read(file, u64_at(&locator, 8)?, 56)?;
        expect(&record, END64)?;
        Ok((u64_at(&record, 32)?, u64_at(&record, 48)?))
    }

    struct Entry {
        encrypted: bool,
        method: u16,
        compressed: u64,
        local: u64,
    }

    fn entry(file: &File, directory: u64) -> Result<Entry, PluginError> {
        let fixed = read(file, directory, ENTRY_SIZE)?;
        expect(&fixed, ENTRY)?;
        let (name, extra) = (u16_at(&fixed, 28)?, u16_at(&fixed, 30)?);
        let extra = read(file, directory + (ENTRY_SIZE as u64) + u64::from(name), extra.into())?;
        let sizes = [u32_at(&fixed, 24)?, u32_at(&fixed, 20)?, u32_at(&fixed, 42)?];
        let [_, compressed, local] = widen(sizes.map(u64::from), &extra)?;
        let encrypted = u16_at(&fixed, 8)? & 1 == 1;
        Ok(Entry { encrypted, method: u16_at(&fixed, 10)?, compressed, local })
    }

    /// The ZIP64 extra field holds, in this order, only the values that do not fit elsewhere.
    fn widen(values: [u64; 3], mut extra: &[u8]) -> Result<[u64; 3], PluginError> {
        let mut wide: &[u8] = &[];
        while extra.len() >= 4 {
            let length = usize::from(u16_at(extra, 2)?);
            let Some(field) = extra.get(4..4 + length) else { break };
            if u16_at(extra, 0)? == 1 {
                wide = field;
            }
            extra = &extra[4 + length..];
        }
        let mut result = values;
        for value in result.iter_mut().filter(|value| **value == BEYOND) {
            *value = u64_at(wide, 0)?;
            wide = &wide[8..];
        }
        Ok(result)
    }

    /// A file from an offset on.
    struct Section {
        file: File,
        offset: u64,
    }

    impl Read for Section {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.file.read_at(buffer, self.offset)?;
            self.offset += read as u64;
            Ok(read)
        }
    }

    fn read(file: &File, offset: u64, length: usize) -> Result<Vec<u8>, PluginError> {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset).map_err(|_| bad("the archive ends early"))?;
        Ok(bytes)
    }

    fn expect(bytes: &[u8], mark: &[u8]) -> Result<(), PluginError> {
        if bytes.starts_with(mark) { Ok(()) } else { Err(bad("the archive's tables lead nowhere")) }
    }

    fn field<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N], PluginError> {
        let field = bytes.get(offset..offset + N).and_then(|field| field.try_into().ok());
        field.ok_or_else(|| bad("the archive ends early"))
    }

    fn u16_at(bytes: &[u8], offset: usize) -> Result<u16, PluginError> {
        field(bytes, offset).map(u16::from_le_bytes)
    }

    fn u32_at(bytes: &[u8], offset: usize) -> Result<u32, PluginError> {
        field(bytes, offset).map(u32::from_le_bytes)
    }

    fn u64_at(bytes: &[u8], offset: usize) -> Result<u64, PluginError> {
        field(bytes, offset).map(u64::from_le_bytes)
    }

    fn bad(why: &str) -> PluginError {
        PluginError::Refused(why.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use image::DiskFormat;

    use super::*;

    fn change(bytes: &[u8], most: u64) -> Result<Vec<u8>, PluginError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, bytes).unwrap();
        let staged = Staged { path, disk: DiskFormat::Raw, container: ContainerFormat::Bare };
        let bounds = Bounds { size: most, format: DiskFormat::Raw };
        let changed = Decompression.change(staged, bounds)?;
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
