//! Certificates in a directory of this machine.

use std::io;
use std::path::PathBuf;

use super::Missing;

/// What a file's name may end in, after the certificate's id.
const ENDINGS: &[&str] = &["", ".pem", ".crt", ".der"];

/// A directory of certificates.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The certificate of this id, which is a UUID.
    pub(super) async fn certificate(&self, id: &str) -> Result<Vec<u8>, Missing> {
        for ending in ENDINGS {
            match tokio::fs::read(self.0.join(format!("{id}{ending}"))).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Missing::Failed(error.to_string())),
            }
        }
        Err(Missing::NotFound)
    }
}
