//! Finding a guest's files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat};

use super::{Kind, Root, present, wildcard};
use crate::{Error, Result};

/// How deep [`Root::walk`] goes.
const DEPTH: usize = 64;

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The whole path, from the root.
    pub path: PathBuf,
    /// What it is; links are not followed.
    pub kind: Kind,
}

impl Root {
    /// What is in a directory, sorted by name; nothing if it is not there.
    pub fn list(&self, directory: impl AsRef<Path>) -> Result<Vec<Entry>> {
        let directory = directory.as_ref();
        let flags = OFlags::DIRECTORY | OFlags::RDONLY;
        let mut entries = present(self.open_inside(directory, flags))
            .and_then(|opened| opened.map_or(Ok(Vec::new()), |opened| entries(&opened, directory)))
            .map_err(Error::io("listing", directory))?;
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// The paths that match a pattern, sorted. `*` and `?` match within a name, and a leading dot
    /// only when it is written.
    pub fn glob(&self, pattern: &str) -> Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::from("/")];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for path in found {
                next.extend(self.step(&path, part)?);
            }
            found = next;
        }
        found.retain(|path| path != Path::new("/"));
        Ok(found)
    }

    /// All that is below a directory and not a directory itself. Links are told, not followed.
    pub fn walk(&self, directory: impl AsRef<Path>) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        self.collect(directory.as_ref(), DEPTH, &mut found)?;
        Ok(found)
    }

    fn step(&self, path: &Path, part: &str) -> Result<Vec<PathBuf>> {
        if !wildcard::is_pattern(part) {
            let path = path.join(part);
            return Ok(self.link_metadata(&path)?.map(|_| path).into_iter().collect());
        }
        let entries = self.list(path)?.into_iter().map(|entry| entry.path);
        let matching = |path: &PathBuf| {
            let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
            (!name.starts_with(b".") || part.starts_with('.')) && wildcard::matches(part, name)
        };
        Ok(entries.filter(matching).collect())
    }

    fn collect(&self, directory: &Path, depth: usize, found: &mut Vec<Entry>) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        for entry in self.list(directory)? {
            if entry.kind == Kind::Directory {
                self.collect(&entry.path, depth, found)?;
            } else {
                found.push(entry);
            }
        }
        Ok(())
    }
}

fn entries(directory: &std::os::fd::OwnedFd, path: &Path) -> rustix::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = OsString::from_vec(entry.file_name().to_bytes().to_vec());
        if name == "." || name == ".." {
            continue;
        }
        let file_type = match entry.file_type() {
            // XFS without ftype, among others, does not say.
            FileType::Unknown => FileType::from_raw_mode(
                statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode,
            ),
            known => known,
        };
        entries.push(Entry { path: Path::new("/").join(path).join(name), kind: file_type.into() });
    }
    Ok(entries)
}
