//! What a cloud tells a new instance: its name, its keys, its user data, on a seed disk that
//! cloud-init finds by its label.
//!
//! Both kinds are written as a small FAT disk, which cloud-init takes as readily as an ISO 9660
//! one (its documentation, "NoCloud" and "Config drive"), by this crate alone.

mod config_drive;
mod fat;
mod nocloud;

use std::path::Path;

use crate::Result;

/// What an instance learns about itself at its first boot.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The instance's identity; another one makes cloud-init treat the boot as a first boot.
    /// A config drive wants a UUID here.
    pub id: String,
    /// The host name to take.
    pub hostname: String,
    /// Public keys in OpenSSH's one-line form, for the default user.
    pub public_keys: Vec<String>,
    /// User data: a `#cloud-config` document, a script, or nothing.
    pub user_data: String,
    /// The address of the one network card, as `fa:16:3e:…`; a config drive describes it.
    pub mac: String,
}

/// Where cloud-init is to find its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SeedKind {
    /// A disk labelled `CIDATA` with `meta-data` and `user-data`.
    NoCloud,
    /// OpenStack's disk labelled `config-2`, as Nova makes it.
    ConfigDrive,
}

impl SeedKind {
    /// The name that people know it by.
    pub fn name(self) -> &'static str {
        match self {
            SeedKind::NoCloud => "NoCloud",
            SeedKind::ConfigDrive => "ConfigDrive",
        }
    }

    /// The file system label by which cloud-init finds the disk.
    fn label(self) -> &'static str {
        match self {
            SeedKind::NoCloud => "CIDATA",
            SeedKind::ConfigDrive => "config-2",
        }
    }
}

/// A file on a seed disk; the path is relative and its folders are made.
struct SeedFile {
    path: &'static str,
    content: String,
}

impl Instance {
    /// Writes a raw seed disk to `path`, replacing what is there.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the file cannot be written.
    pub fn write_seed(&self, kind: SeedKind, path: &Path) -> Result<()> {
        let files = match kind {
            SeedKind::NoCloud => nocloud::files(self),
            SeedKind::ConfigDrive => config_drive::files(self),
        };
        fat::write(path, kind.label(), &files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn instance() -> Instance {
        Instance {
            id: "4b1d5a20-8b0c-4f0e-9a54-000000000001".into(),
            hostname: "born-again".into(),
            public_keys: vec!["ssh-ed25519 AAAA one".into()],
            user_data: "#cloud-config\n{}\n".into(),
            mac: "fa:16:3e:00:00:01".into(),
        }
    }

    #[test]
    fn a_seed_is_a_labelled_fat_disk_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        for (kind, label, file) in [
            (SeedKind::NoCloud, "CIDATA", "user-data"),
            (SeedKind::ConfigDrive, "config-2", "openstack/latest/user_data"),
        ] {
            let path = folder.path().join(label);
            instance().write_seed(kind, &path).unwrap();
            let disk = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let volume = fatfs::FileSystem::new(disk, fatfs::FsOptions::new()).unwrap();
            assert_eq!(volume.volume_label().trim(), label);
            let mut content = String::new();
            std::io::Read::read_to_string(
                &mut volume.root_dir().open_file(file).unwrap(),
                &mut content,
            )
            .unwrap();
            assert_eq!(content, "#cloud-config\n{}\n");
        }
    }

    #[test]
    fn mtools_reads_a_seed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed");
        instance().write_seed(SeedKind::ConfigDrive, &path).unwrap();
        let read = std::process::Command::new("mtype")
            .args(["-i"])
            .arg(&path)
            .arg("::openstack/latest/meta_data.json")
            .output();
        let Ok(read) = read else {
            println!("skipped: mtools is not installed");
            return;
        };
        let document: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(document["name"], "born-again");
    }
}
