//! From a distribution's `vmlinuz` to the `vmlinux` inside it.

use std::fs;
use std::path::Path;

use super::compression;
use crate::{Error, Result};

/// Fields of the kernel's setup header (the kernel's Documentation/arch/x86/boot.rst).
const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const PROTOCOL: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// The boot protocol that brought the payload's fields, with Linux 2.6.26.
const PROTOCOL_WITH_PAYLOAD: u16 = 0x0208;

const SECTOR: usize = 512;

/// Decompresses the kernel; a `vmlinux` is taken as it is.
///
/// # Errors
/// [`Error::KernelUnusable`] when the file is no x86 kernel or its compression is not known.
pub(super) fn extract(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(Error::at(path))?;
    if is_elf(&bytes) {
        return Ok(bytes);
    }
    let payload = payload(&bytes).ok_or_else(|| unusable(path, "it is not an x86 Linux kernel"))?;
    let kernel = compression::payload(payload, path)?;
    if is_elf(&kernel) { Ok(kernel) } else { Err(unusable(path, "it does not hold an ELF kernel")) }
}

fn payload(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.get(MAGIC..MAGIC + 4)? != b"HdrS" {
        return None;
    }
    let protocol = u16::from_le_bytes(*bytes.get(PROTOCOL..)?.first_chunk()?);
    if protocol < PROTOCOL_WITH_PAYLOAD {
        return None;
    }
    // "If this field contains 0, the real value is 4", for the oldest loaders' sake.
    let sectors = match *bytes.get(SETUP_SECTORS)? {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (sectors + 1) * SECTOR + field(bytes, PAYLOAD_OFFSET)?;
    bytes.get(start..start.checked_add(field(bytes, PAYLOAD_LENGTH)?)?)
}

fn field(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::KernelUnusable { path: path.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vmlinuz(payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 2 * SECTOR + 8];
        bytes[SETUP_SECTORS] = 1;
        bytes[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        bytes[PROTOCOL..PROTOCOL + 2].copy_from_slice(&0x020fu16.to_le_bytes());
        bytes[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&8u32.to_le_bytes());
        let length = (payload.len() as u32).to_le_bytes();
        bytes[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&length);
        bytes.extend(payload);
        bytes.extend([0xee; 100]);
        bytes
    }

    #[test]
    fn the_payload_is_cut_out_by_the_header() {
        assert_eq!(payload(&vmlinuz(b"inside")).unwrap(), b"inside");
    }

    #[test]
    fn a_kernel_that_ends_before_its_payload_is_refused() {
        let mut bytes = vmlinuz(b"inside");
        bytes.truncate(2 * SECTOR + 10);
        assert_eq!(payload(&bytes), None);
    }

    #[test]
    fn any_other_file_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "#!/bin/sh\n").unwrap();
        let error = extract(file.path()).unwrap_err().to_string();
        assert!(error.contains("not an x86 Linux kernel"), "{error}");
    }
}
