//! What Glance reads beside its configuration file without being told.

use std::path::{Path, PathBuf};

/// The file that has companions.
const MAIN: &str = "glance-api.conf";

/// What is read before it (`CONFIG_FILES` of `glance/common/wsgi_app.py`).
const FILE: &str = "glance-image-import.conf";

/// Folders whose files are read after all others where no folder is named (`find_config_dirs` of
/// oslo.config).
const FOLDERS: &[&str] = &["glance.conf.d", "glance-api.conf.d"];

/// The files and folders that are named, and those that a Glance with these would read untold: what
/// lies beside a `glance-api.conf`.
pub fn with_companions(files: &[PathBuf], folders: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut all_files = Vec::new();
    let mut beside = Vec::new();
    for file in files {
        if file.file_name().is_some_and(|name| name == MAIN) {
            let companion = file.with_file_name(FILE);
            all_files
                .extend(Some(companion).filter(|file| !files.contains(file) && file.is_file()));
            let folder = file.parent().unwrap_or(Path::new(""));
            beside.extend(FOLDERS.iter().map(|name| folder.join(name)));
        }
        all_files.push(file.clone());
    }
    beside.retain(|folder| folders.is_empty() && folder.is_dir());
    (all_files, [folders, &beside].concat())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_lies_beside_is_read_where_nothing_else_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let (main, other, beside) = (at(MAIN), at("other.conf"), at("glance-api.conf.d"));
        let mains = [main.clone()];
        assert_eq!(with_companions(&mains, &[]), (mains.to_vec(), vec![]));
        fs::write(at(FILE), "").unwrap();
        fs::create_dir(&beside).unwrap();
        assert_eq!(
            with_companions(&mains, &[]),
            (vec![at(FILE), main.clone()], vec![beside.clone()])
        );
        let named = [main, at(FILE)];
        let folder = [at("elsewhere")];
        assert_eq!(with_companions(&named, &folder), (named.to_vec(), folder.to_vec()));
        assert_eq!(with_companions(std::slice::from_ref(&other), &[]), (vec![other], vec![]));
    }
}
