//! The guest's `resolv.conf`, while its programs use the appliance's network.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::mounts::resolved;
use crate::network::NAME_SERVER;

/// The guest's own file, or link, is put aside under this name.
const ASIDE: &str = ".resolv.conf.tintype";

/// A name server that is set until it is [reset](NameServer::reset).
pub(crate) struct NameServer {
    ours: PathBuf,
    aside: PathBuf,
}

impl NameServer {
    /// Lets the guest's programs resolve names.
    pub(crate) fn set(root: &Path) -> io::Result<NameServer> {
        let etc = resolved(root, Path::new("etc"))?;
        let set = NameServer { ours: etc.join("resolv.conf"), aside: etc.join(ASIDE) };
        if_there(fs::rename(&set.ours, &set.aside))?;
        // Nothing is there now: no link of the guest's is written through.
        let mut file = OpenOptions::new().write(true).create_new(true).open(&set.ours)?;
        file.write_all(content().as_bytes())?;
        Ok(set)
    }

    /// Puts the guest's own back, unless a package has installed another one meanwhile.
    pub(crate) fn reset(self) -> io::Result<()> {
        let is_ours = fs::symlink_metadata(&self.ours).is_ok_and(|found| found.is_file())
            && fs::read(&self.ours)? == content().as_bytes();
        if !is_ours {
            return if_there(fs::remove_file(&self.aside));
        }
        fs::remove_file(&self.ours)?;
        if_there(fs::rename(&self.aside, &self.ours))
    }
}

fn content() -> String {
    format!("nameserver {NAME_SERVER}\n")
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn in_a_guest(name: &str, test: impl FnOnce(&Path, &Path)) {
        let root =
            std::env::temp_dir().join(format!("tintype-names-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("etc")).unwrap();
        test(&root, &root.join("etc/resolv.conf"));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_link_that_leads_out_is_neither_followed_nor_lost() {
        in_a_guest("link", |root, file| {
            symlink("../../../../tmp/tintype-never-written", file).unwrap();
            let set = NameServer::set(root).unwrap();
            assert_eq!(fs::read_to_string(file).unwrap(), content());
            set.reset().unwrap();
            let target = fs::read_link(file).unwrap();
            assert_eq!(target, Path::new("../../../../tmp/tintype-never-written"));
            assert_eq!(fs::read_dir(root.join("etc")).unwrap().count(), 1);
        });
    }

    #[test]
    fn a_guest_without_one_has_none_afterwards() {
        in_a_guest("none", |root, _| {
            NameServer::set(root).unwrap().reset().unwrap();
            assert_eq!(fs::read_dir(root.join("etc")).unwrap().count(), 0);
        });
    }

    #[test]
    fn what_a_package_installed_stays() {
        in_a_guest("package", |root, file| {
            fs::write(file, "nameserver 192.0.2.1\n").unwrap();
            let set = NameServer::set(root).unwrap();
            fs::remove_file(file).unwrap();
            symlink("../run/systemd/resolve/stub-resolv.conf", file).unwrap();
            set.reset().unwrap();
            assert!(fs::read_link(file).is_ok());
            assert_eq!(fs::read_dir(root.join("etc")).unwrap().count(), 1);
        });
    }
}
