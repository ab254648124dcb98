//! What a prepared kernel consists of, and whether it still does.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use jiff::Timestamp;
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const NAME: &str = "manifest.json";

/// The contents of a prepared kernel's folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The kernel's release.
    pub(super) version: String,
    /// The path or package that it came from.
    pub(super) origin: String,
    /// When it was prepared.
    pub(super) made: Timestamp,
    /// Each file, by its path in the folder.
    pub(super) files: BTreeMap<String, Recorded>,
    /// The modules of each group, in the order of loading.
    pub(super) groups: BTreeMap<String, Vec<String>>,
}

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recorded {
    /// Bytes.
    pub(super) size: u64,
    /// SHA-256, in hexadecimal.
    pub(super) sha256: String,
}

impl Manifest {
    /// The manifest of a folder; none when there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Manifest>> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(Error::at(&path)(why)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|why| Error::KernelDamaged { path, why: why.to_string() })
    }

    /// Writes it; last, when every other file is there.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|why| Error::at(&path)(io::Error::other(why)))?;
        fs::write(&path, text).map_err(Error::at(&path))
    }

    /// Compares every file with what was written.
    pub(super) fn verify(&self, folder: &Path) -> Result<()> {
        for (name, recorded) in &self.files {
            let path = folder.join(name);
            let why = match Recorded::of(&path) {
                Ok(found) if found == *recorded => continue,
                Ok(_) => "its content has changed".to_owned(),
                Err(why) => why.to_string(),
            };
            return Err(Error::KernelDamaged { path, why });
        }
        Ok(())
    }
}

impl Recorded {
    /// A file as it is now.
    pub(super) fn of(path: &Path) -> io::Result<Recorded> {
        let mut file = File::open(path)?;
        let mut digest = Sha256::new();
        let mut piece = vec![0; 256 << 10];
        let mut size = 0;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            digest.update(&piece[..read]);
            size += read as u64;
        }
        let sha256 = digest.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Recorded { size, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &Path) -> Manifest {
        fs::write(folder.join("file"), "content").unwrap();
        Manifest {
            version: "1".into(),
            origin: "here".into(),
            made: Timestamp::UNIX_EPOCH,
            files: BTreeMap::from([("file".into(), Recorded::of(&folder.join("file")).unwrap())]),
            groups: BTreeMap::new(),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Manifest::read(folder.path()).unwrap().is_none());
        manifest(folder.path()).write(folder.path()).unwrap();
        let read = Manifest::read(folder.path()).unwrap().unwrap();
        assert_eq!(read.files["file"].size, 7);
        read.verify(folder.path()).unwrap();
    }

    #[test]
    fn a_changed_or_missing_file_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest(folder.path());
        fs::write(folder.path().join("file"), "Content").unwrap();
        let changed = manifest.verify(folder.path()).unwrap_err();
        assert!(changed.to_string().contains("has changed"), "{changed}");
        fs::remove_file(folder.path().join("file")).unwrap();
        assert!(matches!(manifest.verify(folder.path()), Err(Error::KernelDamaged { .. })));
    }
}
