//! Which files are read, in which order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Config, Error, Result, parse};

impl Config {
    /// Reads files in the order that they are named, then the `*.conf` of each folder by name:
    /// what is read later wins. Errors: `Unreadable`, `Syntax`.
    pub fn read(files: &[PathBuf], folders: &[PathBuf]) -> Result<Self> {
        let mut config = Self::default();
        for file in files {
            config.add_file(file)?;
        }
        for folder in folders {
            for file in snippets(folder)? {
                config.add_file(&file)?;
            }
        }
        Ok(config)
    }

    /// Adds what `text` says, as if it were the content of `file`. Errors: `Syntax`.
    pub fn add_text(&mut self, text: &str, file: &Path) -> Result<()> {
        parse::lines(text, file, |section, option, given| self.add(section, option, given))
    }

    fn add_file(&mut self, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file).map_err(|cause| unreadable(file, cause))?;
        self.add_text(&text, file)
    }
}

/// The `*.conf` files of a folder, by name.
fn snippets(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths: Vec<_> = paths.collect::<Result<_, _>>().map_err(|c| unreadable(folder, c))?;
    let mut files: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    Error::Unreadable { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_folders_come_last() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let first = write("first.conf", "a = 1\nb = 1\nc = 1\n");
        let second = write("second.conf", "[DEFAULT]\nb = 2\nc = 2\n");
        write("conf.d/20-last.conf", "c = 4\n");
        write("conf.d/10-early.conf", "c = 3\n");
        write("conf.d/30-ignored.txt", "c = 5\n");
        let config = Config::read(&[first, second], &[folder.path().join("conf.d")]).unwrap();
        let default = config.default_section();
        let found = ["a", "b", "c"].map(|option| default.or(option, 0_u32).unwrap());
        assert_eq!(found, [1, 2, 4]);
    }

    #[test]
    fn a_section_is_the_same_in_capitals_and_the_later_one_counts() {
        let mut config = Config::default();
        let text = "[Database]\na = 1\nb = 1\n[database]\nb = 2\nB = 3\n[default]\nc = 1\n";
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        let database = config.section("database");
        assert_eq!(["a", "b"].map(|option| database.or(option, 0_u32).unwrap()), [1, 2]);
        assert!(config.has_section("DATABASE"));
        assert_eq!(config.default_section().get::<u32>("c").unwrap(), None);
        let unread: Vec<_> = config.unread().into_iter().map(|(s, o, _)| (s, o)).collect();
        assert_eq!(unread, [("Database", "B"), ("default", "c")]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(&["/no/such.conf".into()], &[]).unwrap_err();
        assert!(error.to_string().contains("/no/such.conf"), "{error}");
    }
}
