//! Reading a guest's files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::OFlags;

use super::{Kind, Root};
use crate::{Error, Result};

/// The largest file that is read whole. Configuration, package lists and logs that matter are far
/// smaller; the appliance has little memory.
const LIMIT: u64 = 64 << 20;

impl Root {
    /// The content of a regular file, or `None` if there is none: a pipe or a device is never
    /// opened.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above 64 MiB, [`Error::Io`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        match self.metadata(path)? {
            Some(found) if found.kind == Kind::File && found.size > LIMIT => {
                Err(Error::TooLarge { path: path.to_owned(), size: found.size, limit: LIMIT })
            }
            Some(found) if found.kind == Kind::File => self.read_up_to(path, LIMIT).map(Some),
            _ => Ok(None),
        }
    }

    /// The first bytes of a regular file, `limit` at most, or `None` if there is none.
    pub fn read_start(&self, path: impl AsRef<Path>, limit: u64) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        if !self.is_file(path)? {
            return Ok(None);
        }
        self.read_up_to(path, limit).map(Some)
    }

    /// The content of a text file that is to be edited, or `None` if there is none.
    ///
    /// # Errors
    /// [`Error::NotText`] if it is not UTF-8, besides those of [`Root::read`].
    pub fn read_text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let Some(bytes) = self.read(&path)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|why| Error::NotText {
            path: path.as_ref().to_owned(),
            at: why.utf8_error().valid_up_to(),
        })
    }

    /// The content of a text file that is only looked at: empty if there is none, and odd bytes
    /// are replaced.
    pub fn text(&self, path: impl AsRef<Path>) -> Result<String> {
        let bytes = self.read(path)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn read_up_to(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = self.open_inside(path, flags).map_err(Error::io("opening", path))?;
        let mut content = Vec::new();
        File::from(opened)
            .take(limit)
            .read_to_end(&mut content)
            .map_err(Error::io("reading", path))?;
        Ok(content)
    }
}
