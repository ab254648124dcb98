//! Which images this service has begun to stage: a file for each beside the staged bytes, which
//! names the service. After a crash they tell its own unfinished work from that of others, who may
//! use the same directory or the same catalog.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use image::ImageId;

/// How the names of these files end.
pub(super) const ENDING: &str = "begun";

fn path(staging: &Path, id: ImageId) -> PathBuf {
    staging.join(format!("{id}.{ENDING}"))
}

/// Says that a service stages an image, durably.
pub(super) fn set(staging: &Path, id: ImageId, worker: &str) -> io::Result<()> {
    let mut file = File::create(path(staging, id))?;
    file.write_all(worker.as_bytes())?;
    file.sync_all()?;
    File::open(staging)?.sync_all()
}

/// Says that it is done.
pub(super) fn clear(staging: &Path, id: ImageId) -> io::Result<()> {
    match fs::remove_file(path(staging, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The images that a service has begun to stage.
pub(super) fn all(staging: &Path, worker: &str) -> io::Result<Vec<ImageId>> {
    let mut begun = Vec::new();
    for entry in fs::read_dir(staging)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(ENDING)?.strip_suffix('.'));
        if let Some(id) = id.and_then(|id| id.parse().ok())
            && fs::read_to_string(entry.path())? == worker
        {
            begun.push(id);
        }
    }
    Ok(begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ones_own_unfinished_work_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let [ours, done, theirs] = [(); 3].map(|()| ImageId::random());
        for (id, worker) in [(ours, "us"), (done, "us"), (theirs, "them")] {
            set(dir.path(), id, worker).unwrap();
        }
        std::fs::write(dir.path().join(ours.to_string()), "bytes").unwrap();
        clear(dir.path(), done).unwrap();
        clear(dir.path(), done).unwrap();
        assert_eq!(all(dir.path(), "us").unwrap(), [ours]);
    }
}
