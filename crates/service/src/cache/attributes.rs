//! Glance's driver `xattr`: the count of hits is an extended attribute of the file, the times are
//! the file's own.

use std::path::{Path, PathBuf};
use std::{fs, io};

use async_trait::async_trait;
use catalog::{CachedImage, CachedImages, Error, Result};
use image::{ImageId, Timestamp};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::blocking;
use super::folder::{self, Kept};

/// The attribute's name.
const HITS: &str = "user.hits";

/// Digits of a count at most.
const LONGEST: usize = 32;

/// The records of a cache in its files.
pub struct Attributes {
    directory: PathBuf,
}

impl Attributes {
    /// The records of the cache in this directory, which is made when it is not there. Errors: the
    /// file system has no extended attributes.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let probe = directory.join(format!("xattr-probe-{}", uuid::Uuid::new_v4()));
        fs::write(&probe, "")?;
        let set = rustix::fs::setxattr(&probe, HITS, b"1", XattrFlags::empty());
        fs::remove_file(&probe)?;
        set?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// A file without the attribute was not read yet.
    fn hits(&self, id: ImageId) -> u64 {
        let mut text = [0; LONGEST];
        let read = rustix::fs::getxattr(self.directory.join(id.to_string()), HITS, &mut text);
        let text = read.ok().and_then(|length| std::str::from_utf8(text.get(..length)?).ok());
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

#[async_trait]
impl CachedImages for Attributes {
    async fn all(&self) -> Result<Vec<CachedImage>> {
        let kept = folder::kept(&self.directory).unwrap_or_else(|error| {
            tracing::error!(%error, "the cache's files can't be listed");
            Vec::new()
        });
        let record = |kept: &Kept| CachedImage { hits: self.hits(kept.id), ..kept.record() };
        Ok(kept.iter().map(record).collect())
    }

    async fn put(&self, image: &CachedImage) -> Result<Option<i64>> {
        let path = self.directory.join(image.image_id.to_string());
        let (hits, accessed) = (image.hits.to_string(), image.last_accessed);
        let id = image.image_id;
        let written = blocking(move || {
            rustix::fs::setxattr(&path, HITS, hits.as_bytes(), XattrFlags::empty())?;
            rustix::fs::utimensat(CWD, &path, &times(accessed), AtFlags::empty())
        });
        match written.await {
            // Not there yet, or no longer.
            Ok(()) | Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::Corrupt { image: id.to_string(), what: errno.to_string() }),
        }
    }

    /// The attribute goes with its file.
    async fn remove(&self, _id: ImageId) -> Result<()> {
        Ok(())
    }

    async fn nodes(&self, _id: ImageId) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

/// This time of the last reading; the time of the last change stays.
fn times(accessed: Timestamp) -> Timestamps {
    let micros = accessed.as_microsecond();
    let accessed = Timespec {
        tv_sec: micros.div_euclid(1_000_000),
        tv_nsec: micros.rem_euclid(1_000_000) * 1000,
    };
    let omitted = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT };
    Timestamps { last_access: accessed, last_modification: omitted }
}
