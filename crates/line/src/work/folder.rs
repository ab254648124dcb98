//! The work folder itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::draft::{Draft, PREFIX};
use super::{DiskFile, Key, Output};
use crate::steps::StepName;
use crate::{Error, Result};

/// A folder of outputs.
#[derive(Debug)]
pub struct WorkFolder {
    root: PathBuf,
    /// Held by who changes it.
    lock: Option<File>,
}

impl WorkFolder {
    /// Looks at a folder, which need not exist; nothing can be made in it.
    pub fn look(root: &Path) -> Self {
        WorkFolder { root: root.to_owned(), lock: None }
    }

    /// Takes a folder for this run alone, makes it if need be, and removes what an interrupted run
    /// left half made.
    ///
    /// # Errors
    /// [`Error::InUse`] when another run has it.
    pub fn take(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(Error::at(root))?;
        // Records and backing files hold paths.
        let root = root.canonicalize().map_err(Error::at(root))?;
        let lock = lock(&root)?;
        let folder = WorkFolder { root, lock: Some(lock) };
        for draft in folder.entries(|name| name.starts_with(PREFIX))? {
            fs::remove_dir_all(&draft).map_err(Error::at(&draft))?;
        }
        Ok(folder)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The output with this key, its disk's path made absolute; none when it is not there whole.
    pub fn find(&self, step: StepName, key: &Key) -> Option<Output> {
        let mut output =
            Output::read(&self.place(step, key)).filter(|output| output.key == *key)?;
        if let Some(disk) = &mut output.disk {
            disk.path = self.root.join(&disk.path);
            if !disk.path.is_file() {
                return None;
            }
        }
        Some(output)
    }

    /// Begins an output.
    pub(crate) fn draft(&self, step: StepName, key: &Key) -> Result<Draft> {
        debug_assert!(self.lock.is_some(), "outputs are made under the lock");
        Draft::new(&self.root, self.place(step, key))
    }

    /// Where a draft's file will be.
    pub(crate) fn place(&self, step: StepName, key: &Key) -> PathBuf {
        self.root.join(format!("{step}-{}", key.short()))
    }

    /// The disk as a record has it.
    pub(crate) fn relative(&self, disk: DiskFile) -> DiskFile {
        let path = disk.path.strip_prefix(&self.root).unwrap_or(&disk.path).to_owned();
        DiskFile { path, ..disk }
    }

    /// Every output, whoever made it.
    pub(super) fn outputs(&self) -> Result<Vec<(PathBuf, Output)>> {
        let folders = self.entries(|name| !name.starts_with('.'))?;
        Ok(folders.into_iter().filter_map(|f| Output::read(&f).map(|output| (f, output))).collect())
    }

    fn entries(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.root).map_err(Error::at(&self.root))?;
        let folders = entries.flatten().filter(|entry| entry.path().is_dir());
        let wanted = folders.filter(|entry| entry.file_name().to_str().is_some_and(&wanted));
        Ok(wanted.map(|entry| entry.path()).collect())
    }
}

/// The lock's file also says who holds it.
fn lock(root: &Path) -> Result<File> {
    let path = root.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::at(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(Error::at(&path))?;
            return Err(Error::InUse { path: root.to_owned(), holder: holder.trim().to_owned() });
        }
        Err(TryLockError::Error(why)) => return Err(Error::at(&path)(why)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "process {}", std::process::id()))
        .map_err(Error::at(&path))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn output(key: &Key, folder: &WorkFolder, file: PathBuf) -> Output {
        let disk = DiskFile { path: file, format: crate::recipe::Format::Raw };
        Output {
            step: StepName::Source,
            image: "x".into(),
            key: key.clone(),
            previous: None,
            made: jiff::Timestamp::UNIX_EPOCH,
            seconds: 1.0,
            result: String::new(),
            disk: Some(folder.relative(disk)),
            found: json!({}),
        }
    }

    #[test]
    fn an_output_is_there_after_its_commit_and_not_before() {
        let root = tempfile::tempdir().unwrap();
        let folder = WorkFolder::take(root.path()).unwrap();
        let key = Key::of(StepName::Source, &json!(1), None);
        for content in ["first", "second"] {
            let draft = folder.draft(StepName::Source, &key).unwrap();
            fs::write(draft.folder().join("disk"), content).unwrap();
            let disk = folder.place(StepName::Source, &key).join("disk");
            draft.commit(&output(&key, &folder, disk.clone())).unwrap();
            let found = folder.find(StepName::Source, &key).unwrap().disk.unwrap();
            assert_eq!(found.path, disk);
            assert_eq!(fs::read_to_string(found.path).unwrap(), content);
        }
        fs::remove_file(folder.place(StepName::Source, &key).join("disk")).unwrap();
        assert!(folder.find(StepName::Source, &key).is_none());
    }

    #[test]
    fn a_second_run_is_told_who_has_the_folder_and_the_next_one_tidies_up() {
        let root = tempfile::tempdir().unwrap();
        let folder = WorkFolder::take(root.path()).unwrap();
        let refused = WorkFolder::take(root.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        let left = root.path().join(".draft-of-a-killed-run");
        fs::create_dir(&left).unwrap();
        drop(folder);
        WorkFolder::take(root.path()).unwrap();
        assert!(!left.exists());
    }
}
