//! Where a kernel is found.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A kernel as a distribution ships it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// What to say of where it came from.
    pub(super) origin: String,
    /// Its release.
    pub(super) version: String,
    /// `vmlinuz` or `vmlinux`.
    pub(super) image: PathBuf,
    /// The folder of its modules.
    pub(super) modules: PathBuf,
}

/// Every kernel below `root` that can be read and has its modules: those made for virtual machines
/// first, then by version, the newest first.
pub(super) fn installed(root: &Path, origin: impl Fn(&Path) -> String) -> Vec<Source> {
    let mut found: Vec<Source> =
        images(&root.join("boot")).filter_map(|image| with_modules(root, image, &origin)).collect();
    found.sort_by_cached_key(|source| (!source.is_for_machines(), reversed(&source.version)));
    found
}

impl Source {
    /// Debian's cloud, Ubuntu's and Alpine's virtual kernels: smaller, so they start sooner.
    fn is_for_machines(&self) -> bool {
        ["cloud", "kvm", "virt"].iter().any(|word| self.version.contains(word))
    }
}

fn images(boot: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(boot).into_iter().flatten().flatten().map(|entry| entry.path());
    // Ubuntu keeps its kernels from its users (mode 0600).
    entries.filter(|path| File::open(path).is_ok())
}

fn with_modules(root: &Path, image: PathBuf, origin: impl Fn(&Path) -> String) -> Option<Source> {
    let version = image.file_name()?.to_str()?.strip_prefix("vmlinuz-")?.to_owned();
    let modules = ["lib/modules", "usr/lib/modules"]
        .map(|folder| root.join(folder).join(&version))
        .into_iter()
        .find(|folder| folder.join("kernel").is_dir())?;
    Some(Source { origin: origin(&image), version, image, modules })
}

/// A key that sorts versions downwards, their numbers as numbers.
fn reversed(version: &str) -> Vec<std::cmp::Reverse<u64>> {
    version
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .map(std::cmp::Reverse)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_for_machines_comes_first() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("boot")).unwrap();
        for version in ["6.9.1-amd64", "6.1.9-cloud-amd64", "6.1.10-cloud-amd64", "5.0-orphan"] {
            fs::write(root.path().join(format!("boot/vmlinuz-{version}")), "").unwrap();
            if !version.ends_with("orphan") {
                let modules = root.path().join(format!("usr/lib/modules/{version}/kernel"));
                fs::create_dir_all(modules).unwrap();
            }
        }
        let found = installed(root.path(), |path| path.display().to_string());
        let versions: Vec<&str> = found.iter().map(|source| source.version.as_str()).collect();
        assert_eq!(versions, ["6.1.10-cloud-amd64", "6.1.9-cloud-amd64", "6.9.1-amd64"]);
    }

    #[test]
    fn a_system_without_kernels_has_none() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(installed(root.path(), |_| String::new()), []);
    }
}
