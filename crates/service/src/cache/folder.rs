//! The files of the cache, laid out as Glance's: whole images in the directory itself, what is
//! being written in `incomplete`, what failed in `invalid`, and an empty file in `queue` for each
//! image that is to be fetched. Functions here block.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use catalog::CachedImage;
use image::{ImageId, Timestamp};
use rustix::fs::FlockOperation;
use uuid::Uuid;

const INCOMPLETE: &str = "incomplete";
const INVALID: &str = "invalid";
const QUEUE: &str = "queue";

/// Owner writes, group reads: as the directory store.
const MODE: u32 = 0o640;

/// The directory of the cache.
pub(super) struct Folder {
    base: PathBuf,
    /// Locked as long as this service uses the directory.
    _lock: File,
}

/// A whole image in the directory, as its file describes it.
pub(super) struct Kept {
    pub(super) id: ImageId,
    pub(super) size: u64,
    pub(super) last_accessed: Timestamp,
    pub(super) last_modified: Timestamp,
}

impl Kept {
    /// The record of a file that has none.
    pub(super) fn record(&self) -> CachedImage {
        CachedImage {
            row: None,
            image_id: self.id,
            size: self.size,
            hits: 0,
            last_accessed: self.last_accessed,
            last_modified: self.last_modified,
            checksum: None,
        }
    }
}

impl Folder {
    /// Opens the directory and makes what is missing. Errors: another service uses it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        for part in ["", INCOMPLETE, INVALID, QUEUE] {
            fs::create_dir_all(path.join(part))?;
        }
        let lock = File::open(path)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another service uses this cache directory"))?;
        Ok(Self { base: fs::canonicalize(path)?, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.base
    }

    pub(super) fn file(&self, id: ImageId) -> PathBuf {
        self.base.join(id.to_string())
    }

    /// Removes what a run before this one left half-done or invalid; says how many files.
    pub(super) fn sweep(&self) -> io::Result<usize> {
        let mut removed = 0;
        for part in [INCOMPLETE, INVALID] {
            for entry in fs::read_dir(self.base.join(part))? {
                fs::remove_file(entry?.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes invalid files, and incomplete ones that nobody has written to for `stall`.
    pub(super) fn clean(&self, stall: Duration) -> io::Result<usize> {
        let before = SystemTime::now().checked_sub(stall).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut removed = 0;
        for (part, any_age) in [(INVALID, true), (INCOMPLETE, false)] {
            for entry in fs::read_dir(self.base.join(part))? {
                let entry = entry?;
                if any_age || entry.metadata()?.modified()? < before {
                    removed += usize::from(remove_if_there(&entry.path())?);
                }
            }
        }
        Ok(removed)
    }

    /// Every whole image.
    pub(super) fn kept(&self) -> io::Result<Vec<Kept>> {
        kept(&self.base)
    }

    /// A new incomplete file. Its name is its own: a file of the same image that is being given up
    /// is not in its way.
    pub(super) fn begin(&self, id: ImageId) -> io::Result<(File, PathBuf)> {
        let path = self.base.join(INCOMPLETE).join(format!("{id}.{}", Uuid::new_v4()));
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(MODE).open(&path)?;
        Ok((file, path))
    }

    /// Makes an incomplete file, whose bytes are synced, the image's.
    pub(super) fn publish(&self, incomplete: &Path, id: ImageId) -> io::Result<()> {
        fs::rename(incomplete, self.file(id))
    }

    /// Makes renames durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.base)?.sync_all()
    }

    /// Removes an image; says whether it was there.
    pub(super) fn remove(&self, id: ImageId) -> io::Result<bool> {
        remove_if_there(&self.file(id))
    }

    /// Puts an image at the end of the queue; one that is in it keeps its place.
    pub(super) fn enqueue(&self, id: ImageId) -> io::Result<()> {
        let place = self.base.join(QUEUE).join(id.to_string());
        match OpenOptions::new().write(true).create_new(true).mode(MODE).open(place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            opened => opened.map(drop),
        }
    }

    /// Takes an image out of the queue; says whether it was in it.
    pub(super) fn dequeue(&self, id: ImageId) -> io::Result<bool> {
        remove_if_there(&self.base.join(QUEUE).join(id.to_string()))
    }

    /// The queued images, first come first.
    pub(super) fn queued(&self) -> io::Result<Vec<ImageId>> {
        let mut queued = Vec::new();
        for entry in fs::read_dir(self.base.join(QUEUE))? {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<ImageId>().ok());
            // One that is fetched while this looks is gone.
            let since = entry.metadata().and_then(|about| about.modified());
            if let (Some(id), Ok(since)) = (id, since) {
                queued.push((since, id));
            }
        }
        queued.sort();
        Ok(queued.into_iter().map(|(_, id)| id).collect())
    }
}

/// Every whole image in a cache's directory.
pub(super) fn kept(base: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(base)? {
        let entry = entry?;
        let (name, about) = (entry.file_name(), entry.metadata()?);
        let id = name.to_str().and_then(|name| name.parse().ok());
        if let Some(id) = id.filter(|_| about.is_file()) {
            kept.push(Kept {
                id,
                size: about.len(),
                last_accessed: instant(about.atime(), about.atime_nsec()),
                last_modified: instant(about.mtime(), about.mtime_nsec()),
            });
        }
    }
    Ok(kept)
}

/// Removes a file; says whether it was there.
pub(super) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

fn instant(seconds: i64, nanoseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(seconds.saturating_mul(1_000_000) + nanoseconds / 1000)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_a_crash_leaves_is_swept_and_whole_images_stay() {
        let dir = tempfile::tempdir().unwrap();
        let id = ImageId::random();
        let folder = Folder::open(dir.path()).unwrap();
        let (mut file, path) = folder.begin(id).unwrap();
        file.write_all(b"whole").unwrap();
        folder.publish(&path, id).unwrap();
        folder.begin(ImageId::random()).unwrap();
        fs::write(dir.path().join(INVALID).join("x"), "broken").unwrap();
        assert_eq!(folder.sweep().unwrap(), 2);
        let kept: Vec<_> = folder.kept().unwrap().iter().map(|kept| (kept.id, kept.size)).collect();
        assert_eq!(kept, [(id, 5)]);
    }

    #[test]
    fn cleaning_takes_what_is_invalid_and_what_is_stalled() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        folder.begin(ImageId::random()).unwrap();
        fs::write(dir.path().join(INVALID).join("x"), "broken").unwrap();
        assert_eq!(folder.clean(Duration::from_secs(60)).unwrap(), 1);
        assert_eq!(folder.clean(Duration::ZERO).unwrap(), 1);
    }

    #[test]
    fn the_queue_is_first_come_first_served_and_holds_an_image_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let ids = [ImageId::random(), ImageId::random()];
        for id in [ids[0], ids[1], ids[0]] {
            folder.enqueue(id).unwrap();
        }
        assert_eq!(folder.queued().unwrap().len(), 2);
        assert!(folder.dequeue(ids[0]).unwrap());
        assert!(!folder.dequeue(ids[0]).unwrap());
        assert_eq!(folder.queued().unwrap(), [ids[1]]);
    }

    #[test]
    fn two_services_never_share_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let held = Folder::open(dir.path()).unwrap();
        assert!(Folder::open(dir.path()).is_err());
        drop(held);
        assert!(Folder::open(dir.path()).is_ok());
    }
}
