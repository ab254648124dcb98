//! Hashes of files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use machine::Cancel;
use openssl::hash::{Hasher, MessageDigest};

use crate::{Error, Result};

/// Bytes hashed at once: cancelled within milliseconds.
const PIECE: usize = 1 << 20;

/// A file's SHA-256, in hexadecimal.
pub(crate) fn sha256(path: &Path, cancel: &Cancel) -> Result<String> {
    Ok(digest(path, MessageDigest::sha256(), cancel)?.0)
}

/// A file's SHA-512, in hexadecimal, and its length.
pub(crate) fn sha512(path: &Path, cancel: &Cancel) -> Result<(String, u64)> {
    digest(path, MessageDigest::sha512(), cancel)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(path: &Path, kind: MessageDigest, cancel: &Cancel) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(Error::at(path))?;
    let openssl = |why: openssl::error::ErrorStack| Error::doing("OpenSSL")(why.into());
    let mut hasher = Hasher::new(kind).map_err(openssl)?;
    let (mut piece, mut length) = (vec![0; PIECE], 0);
    loop {
        cancel.check()?;
        let read = file.read(&mut piece).map_err(Error::at(path))?;
        if read == 0 {
            let digest = hasher.finish().map_err(openssl)?;
            return Ok((hex(&digest), length));
        }
        hasher.update(&piece[..read]).map_err(openssl)?;
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_hashes_as_the_standard_says() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abc").unwrap();
        // FIPS 180-4's example for "abc".
        let sha256 = sha256(file.path(), &Cancel::new()).unwrap();
        assert!(sha256.starts_with("ba7816bf8f01cfea") && sha256.ends_with("f20015ad"), "{sha256}");
        let (sha512, length) = sha512(file.path(), &Cancel::new()).unwrap();
        assert!(sha512.starts_with("ddaf35a193617aba"), "{sha512}");
        assert_eq!(length, 3);
    }
}
