//! Changes to a guest, and the list of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::root::{Kind, Root, matches_path};
use crate::{Error, Result};

/// What an operation changes a guest with: it leaves alone what is to be kept, writes only what
/// differs, and remembers each path.
#[derive(Debug)]
pub struct Edit<'a> {
    /// The guest, for looking.
    pub root: &'a Root,
    keep: &'a [String],
    changed: BTreeSet<PathBuf>,
    mode: Mode,
}

/// Whether changes are made, or only told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Change,
    Rehearse,
}

impl<'a> Edit<'a> {
    /// An edit that keeps the paths of some patterns, and what is below them.
    pub fn new(root: &'a Root, keep: &'a [String]) -> Self {
        Edit { root, keep, changed: BTreeSet::new(), mode: Mode::Change }
    }

    /// An edit that changes nothing and remembers what it would have changed.
    pub fn rehearsal(root: &'a Root) -> Self {
        Edit { root, keep: &[], changed: BTreeSet::new(), mode: Mode::Rehearse }
    }

    /// The paths that were changed, from the guest's root.
    pub fn into_changed(self) -> Vec<String> {
        self.changed.iter().map(|path| path.display().to_string()).collect()
    }

    /// Whether a path is to stay as it is.
    pub fn keeps(&self, path: impl AsRef<Path>) -> bool {
        self.keep.iter().any(|pattern| matches_path(pattern, path.as_ref()))
    }

    /// Remembers a path that something else has changed: a command of the guest.
    pub fn note(&mut self, path: impl AsRef<Path>) {
        self.changed.insert(path.as_ref().to_owned());
    }

    /// Removes each file, link or tree that a pattern matches.
    pub fn remove(&mut self, pattern: &str) -> Result<()> {
        for path in self.root.glob(pattern)? {
            self.remove_path(&path)?;
        }
        Ok(())
    }

    /// Removes a file, a link or a tree, whose name is no pattern.
    pub fn remove_path(&mut self, path: &Path) -> Result<()> {
        if !self.keep.is_empty() {
            return self.remove_around_the_kept(path);
        }
        let was_there = match self.mode {
            Mode::Change => self.root.remove(path)?,
            Mode::Rehearse => self.root.link_metadata(path)?.is_some(),
        };
        if was_there {
            self.note(path);
        }
        Ok(())
    }

    /// Removes all that is in the directories that a pattern matches, names with a leading dot
    /// too. A link to a directory is left alone.
    pub fn remove_contents(&mut self, pattern: &str) -> Result<()> {
        for directory in self.root.glob(pattern)? {
            let found = self.root.link_metadata(&directory)?;
            if found.is_some_and(|found| found.kind == Kind::Directory) {
                for entry in self.root.list(&directory)? {
                    self.remove_path(&entry.path)?;
                }
            }
        }
        Ok(())
    }

    /// Empties the regular files that a pattern matches; mode and owner stay, which a daemon may
    /// rely on.
    pub fn empty(&mut self, pattern: &str) -> Result<()> {
        for path in self.root.glob(pattern)? {
            self.empty_path(&path)?;
        }
        Ok(())
    }

    /// Empties a regular file. A link is left alone.
    pub fn empty_path(&mut self, path: &Path) -> Result<()> {
        match self.root.link_metadata(path)? {
            Some(found) if found.kind == Kind::File && found.size > 0 => self.write(path, ""),
            _ => Ok(()),
        }
    }

    /// Gives a file a content, unless it has it.
    pub fn write(&mut self, path: impl AsRef<Path>, content: impl AsRef<str>) -> Result<()> {
        self.write_new(path, content, 0o644)
    }

    /// As [`Edit::write`], with the mode of a file that is new.
    pub fn write_new(
        &mut self,
        path: impl AsRef<Path>,
        content: impl AsRef<str>,
        mode: u32,
    ) -> Result<()> {
        let (path, content) = (path.as_ref(), content.as_ref().as_bytes());
        if self.keeps(path) || self.is_already(path, content)? {
            return Ok(());
        }
        if self.mode == Mode::Change {
            self.root.write_new(path, content, mode)?;
        }
        self.note(path);
        Ok(())
    }

    /// Rewrites the text of a file, if it is there.
    pub fn rewrite(
        &mut self,
        path: impl AsRef<Path>,
        change: impl FnOnce(&str) -> String,
    ) -> Result<()> {
        let path = path.as_ref();
        match self.root.read_text(path)? {
            Some(text) => self.write(path, change(&text)),
            None => Ok(()),
        }
    }

    /// Puts a link at a path, unless it is there.
    pub fn symlink(&mut self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<()> {
        let (target, path) = (target.as_ref(), path.as_ref());
        if self.keeps(path) || self.root.read_link(path)?.is_some_and(|link| link == target) {
            return Ok(());
        }
        if self.mode == Mode::Change {
            self.root.symlink(target, path)?;
        }
        self.note(path);
        Ok(())
    }

    /// A log may be larger than what is ever read: only a file of the same length is compared.
    fn is_already(&self, path: &Path, content: &[u8]) -> Result<bool> {
        match self.root.metadata(path)? {
            Some(found) if found.kind == Kind::File && found.size == content.len() as u64 => {
                Ok(self.root.read(path)?.is_some_and(|before| before == content))
            }
            _ => Ok(false),
        }
    }

    fn remove_around_the_kept(&mut self, path: &Path) -> Result<()> {
        if self.keeps(path) {
            return Ok(());
        }
        let found = self.root.link_metadata(path)?;
        let emptied = match found {
            None => return Ok(()),
            Some(found) if found.kind == Kind::Directory => {
                for entry in self.root.list(path)? {
                    self.remove_around_the_kept(&entry.path)?;
                }
                self.root.remove_if_empty(path)?
            }
            Some(_) => self.root.remove(path)?,
        };
        if emptied {
            self.changed.retain(|changed| !changed.starts_with(path));
            self.changed.insert(path.to_owned());
        }
        Ok(())
    }
}

/// The most similar of some names, to suggest it.
pub(crate) fn known(
    kind: &'static str,
    name: &str,
    names: impl Iterator<Item = &'static str>,
) -> Result<()> {
    let mut nearest = ("", usize::MAX);
    for candidate in names {
        match distance(name, candidate) {
            0 => return Ok(()),
            distance if distance < nearest.1 => nearest = (candidate, distance),
            _ => {}
        }
    }
    Err(Error::UnknownName { kind, name: name.into(), nearest: nearest.0 })
}

fn distance(one: &str, other: &str) -> usize {
    strsim::osa_distance(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        for path in ["/var/lib/cloud/a/b", "/var/lib/cloud/a/c", "/var/lib/cloud/d"] {
            root.write(path, "x").unwrap();
        }
        (directory, root)
    }

    #[test]
    fn what_is_kept_stays_and_all_around_it_goes() {
        let (_directory, root) = guest();
        let keep = ["/var/lib/cloud/*/b".to_owned()];
        let mut edit = Edit::new(&root, &keep);
        edit.remove("/var/lib/*").unwrap();
        assert!(root.exists("/var/lib/cloud/a/b").unwrap());
        assert!(!root.exists("/var/lib/cloud/a/c").unwrap());
        assert_eq!(edit.into_changed(), ["/var/lib/cloud/a/c", "/var/lib/cloud/d"]);
    }

    #[test]
    fn a_kept_file_is_not_written() {
        let (_directory, root) = guest();
        let keep = ["var/lib/cloud/d".to_owned()];
        let mut edit = Edit::new(&root, &keep);
        edit.write("/var/lib/cloud/d", "new").unwrap();
        edit.empty("/var/lib/cloud/*").unwrap();
        assert_eq!(root.text("/var/lib/cloud/d").unwrap(), "x");
        assert!(edit.into_changed().is_empty());
    }

    #[test]
    fn the_same_content_is_no_change() {
        let (_directory, root) = guest();
        let mut edit = Edit::new(&root, &[]);
        edit.write("/var/lib/cloud/d", "x").unwrap();
        edit.symlink("a", "/link").unwrap();
        edit.symlink("a", "/link").unwrap();
        assert_eq!(edit.into_changed(), ["/link"]);
    }

    #[test]
    fn a_rehearsal_tells_and_changes_nothing() {
        let (_directory, root) = guest();
        let mut edit = Edit::rehearsal(&root);
        edit.remove("/var/lib/cloud/*").unwrap();
        edit.write("/new", "x").unwrap();
        edit.write("/var/lib/cloud/d", "x").unwrap();
        assert_eq!(edit.into_changed(), ["/new", "/var/lib/cloud/a", "/var/lib/cloud/d"]);
        assert!(root.exists("/var/lib/cloud/d").unwrap());
        assert!(!root.exists("/new").unwrap());
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = || ["machine_id", "ssh_host_keys"].into_iter();
        assert!(known("operation", "machine_id", names()).is_ok());
        let why = known("operation", "machin_id", names()).unwrap_err().to_string();
        assert!(why.contains("\"machine_id\""), "{why}");
    }
}
