//! Where files are looked for that the configuration names, or takes for granted.

use std::path::PathBuf;

/// Where oslo.config looks when the configuration is elsewhere; `~` is the home directory.
const ELSEWHERE: &[&str] = &["~/.glance", "~", "/etc/glance", "/etc"];

/// The folders, first one first: the configuration folders; then those of the configuration files,
/// the last file's before the first's; then Glance's usual places (`ConfigOpts.find_file`).
/// Without any configuration there are none: what lies in the usual places is another service's.
pub fn search_folders(files: &[PathBuf], folders: &[PathBuf]) -> Vec<PathBuf> {
    if files.is_empty() && folders.is_empty() {
        return Vec::new();
    }
    let of_files = files.iter().rev().filter_map(|file| file.parent().map(PathBuf::from));
    folders.iter().cloned().chain(of_files).chain(usual_folders()).collect()
}

/// Glance's usual places, first one first.
fn usual_folders() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    ELSEWHERE.iter().filter_map(move |folder| match folder.strip_prefix('~') {
        Some(rest) => home.as_ref().map(|home| home.join(rest.trim_start_matches('/'))),
        None => Some(folder.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_files_and_the_last_file_before_the_first() {
        let files = ["/a/1.conf", "/b/2.conf"].map(PathBuf::from);
        let found = search_folders(&files, &["/c".into()]);
        assert_eq!(found[..3], ["/c", "/b", "/a"].map(PathBuf::from));
        assert_eq!(found.last(), Some(&PathBuf::from("/etc")));
        assert!(search_folders(&[], &[]).is_empty());
    }
}
