//! ZIP archives of one file, stored or deflated. Reference: PKWARE's APPNOTE.TXT, sections 4.3.12,
//! 4.3.14 to 4.3.16 and 4.5.3.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::PluginError;

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
    let inside: Box<dyn Read> = match entry.method {
        0 => Box::new(data),
        8 => Box::new(DeflateDecoder::new(data)),
        method => {
            return Err(bad(&format!("the archive's compression method {method} is unknown")));
        }
    };
    Ok(Box::new(Checked { inside, seen: Crc::new(), expected: entry.checksum }))
}

/// What is inside, which has to have the archive's checksum.
struct Checked {
    inside: Box<dyn Read>,
    seen: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inside.read(buffer)?;
        self.seen.update(&buffer[..length]);
        let is_end = length == 0 && !buffer.is_empty();
        if is_end && self.seen.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another one"));
        }
        Ok(length)
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
    /// CRC-32 of what is inside.
    checksum: u32,
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
    let (method, checksum) = (u16_at(&fixed, 10)?, u32_at(&fixed, 16)?);
    Ok(Entry { encrypted, method, checksum, compressed, local })
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
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// An archive of one file, stored, whose directory says that its checksum is `checksum`.
    fn archive(inside: &[u8], checksum: u32) -> Vec<u8> {
        let length = u32::try_from(inside.len()).unwrap().to_le_bytes();
        let checksum = checksum.to_le_bytes();
        let facts = [&[0; 6][..], &checksum, &length, &length, b"\x01\0\0\0"].concat();
        let local = [LOCAL, b"\x14\0\0\0", &facts, b"f", inside].concat();
        let entry = [ENTRY, b"\x14\0\x14\0\0\0", &facts, &[0; 14], b"f"].concat();
        let place = u32::try_from(local.len()).unwrap().to_le_bytes();
        let size = u32::try_from(entry.len()).unwrap().to_le_bytes();
        let end = [END, b"\0\0\0\0\x01\0\x01\0", &size, &place, b"\0\0"].concat();
        [local, entry, end].concat()
    }

    fn opened(archive: &[u8]) -> io::Result<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(archive).unwrap();
        let mut bytes = Vec::new();
        open(file).unwrap().read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn what_is_inside_has_the_checksum_of_the_archive() {
        let mut crc = Crc::new();
        crc.update(b"bytes");
        assert_eq!(opened(&archive(b"bytes", crc.sum())).unwrap(), b"bytes");
        let damaged = opened(&archive(b"bytez", crc.sum())).unwrap_err().to_string();
        assert!(damaged.contains("checksum"), "{damaged}");
    }
}
