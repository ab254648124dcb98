//! What the kernel tells of iSCSI's sessions and their disks, in sysfs.

use std::fs;
use std::path::{Path as File, PathBuf};

use super::target::Path;

/// Where the kernel tells it.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    /// `/sys`.
    root: PathBuf,
}

/// A session with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// Its portal, as a path has it.
    pub(super) portal: String,
    /// The number of the SCSI host which it is.
    host: String,
    /// Where it is as a device; its units are below.
    device: PathBuf,
}

impl Kernel {
    pub(super) fn of_system() -> Self {
        Self::at("/sys".into())
    }

    pub(super) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The session with a path's target at its portal.
    pub(super) fn session(&self, path: &Path) -> Option<Session> {
        self.sessions(&path.iqn).into_iter().find(|session| path.is_at(&session.portal))
    }

    /// All sessions with a target.
    pub(super) fn sessions(&self, iqn: &str) -> Vec<Session> {
        let class = self.root.join("class/iscsi_session");
        let named = |name: String| self.session_named(&class.join(&name), &name, iqn);
        names(&class).into_iter().filter_map(named).collect()
    }

    fn session_named(&self, session: &File, name: &str, iqn: &str) -> Option<Session> {
        let number = name.strip_prefix("session")?;
        if text(&session.join("targetname"))? != iqn {
            return None;
        }
        let connection =
            self.root.join("class/iscsi_connection").join(format!("connection{number}:0"));
        let address = text(&connection.join("persistent_address"))?;
        let port = text(&connection.join("persistent_port"))?;
        let portal = match address.contains(':') {
            true => format!("[{}]:{port}", address.trim_matches(['[', ']'])),
            false => format!("{address}:{port}"),
        };
        // …/hostH/sessionN
        let device = fs::canonicalize(session.join("device")).ok()?;
        let host = device.parent()?.file_name()?.to_str()?.strip_prefix("host")?.to_owned();
        Some(Session { portal, host, device })
    }

    /// The map of device-mapper that multipathd has made of a disk: its name in `/dev`.
    pub(super) fn map_of(&self, disk: &str) -> Option<String> {
        let holders = names(&self.root.join("block").join(disk).join("holders"));
        let is_multipath = |name: &String| {
            let id = text(&self.root.join("block").join(name).join("dm/uuid"));
            id.is_some_and(|id| id.starts_with("mpath-"))
        };
        holders.into_iter().find(is_multipath)
    }

    /// What device-mapper calls a map.
    pub(super) fn map_name(&self, map: &str) -> Option<String> {
        text(&self.root.join("block").join(map).join("dm/name"))
    }

    /// The number of a disk or a map, as a file of it has (`st_rdev`).
    pub(super) fn number(&self, disk: &str) -> Option<u64> {
        let text = text(&self.root.join("block").join(disk).join("dev"))?;
        let (major, minor) = text.split_once(':')?;
        Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
    }

    /// Whether a disk or a map is there.
    pub(super) fn has(&self, disk: &str) -> bool {
        self.root.join("block").join(disk).exists()
    }

    /// Where the kernel is told to look for units of a session's target.
    pub(super) fn scan(&self, session: &Session) -> PathBuf {
        self.root.join(format!("class/scsi_host/host{}/scan", session.host))
    }

    /// Where the kernel is told something of a disk: `rescan`, `delete`.
    pub(super) fn attribute(&self, disk: &str, name: &str) -> PathBuf {
        self.root.join("block").join(disk).join("device").join(name)
    }
}

impl Session {
    /// The disk that a unit of its target is: its name in `/dev`.
    pub(super) fn disk(&self, lun: u64) -> Option<String> {
        self.disks().into_iter().find_map(|(number, name)| (number == lun).then_some(name))
    }

    /// The disks of its target, each with the number of its unit.
    pub(super) fn disks(&self) -> Vec<(u64, String)> {
        let mut disks = Vec::new();
        for target in names(&self.device) {
            if !target.starts_with("target") {
                continue;
            }
            let target = self.device.join(target);
            // HOST:CHANNEL:TARGET:UNIT
            for unit in names(&target) {
                let number = unit.rsplit_once(':').and_then(|(_, number)| number.parse().ok());
                let Some(number) = number else { continue };
                let disk = names(&target.join(&unit).join("block")).into_iter().next();
                disks.extend(disk.map(|disk| (number, disk)));
            }
        }
        disks
    }
}

/// What is in a folder, in order; nothing where there is none.
fn names(folder: &File) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn text(file: &File) -> Option<String> {
    fs::read_to_string(file).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
pub(super) mod stand_in {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A session in a folder of a test's own: `number`, the target's name and its address.
    pub(in super::super) fn session(root: &File, number: u32, iqn: &str, address: &str) {
        let device = root.join(format!("devices/platform/host{number}/session{number}"));
        let class = root.join(format!("class/iscsi_session/session{number}"));
        let connection = root.join(format!("class/iscsi_connection/connection{number}:0"));
        let host = root.join(format!("class/scsi_host/host{number}"));
        for folder in [&device, &class, &connection, &host] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(class.join("targetname"), format!("{iqn}\n")).unwrap();
        fs::write(connection.join("persistent_address"), format!("{address}\n")).unwrap();
        fs::write(connection.join("persistent_port"), "3260\n").unwrap();
        fs::write(host.join("scan"), "").unwrap();
        symlink(&device, class.join("device")).unwrap();
    }

    /// A disk of a session.
    pub(in super::super) fn disk(root: &File, session: u32, lun: u64, name: &str) {
        let unit = format!(
            "devices/platform/host{session}/session{session}/target{session}:0:0/{session}:0:0:{lun}"
        );
        fs::create_dir_all(root.join(&unit).join("block").join(name)).unwrap();
        let block = root.join("block").join(name);
        fs::create_dir_all(block.join("holders")).unwrap();
        symlink(root.join(unit), block.join("device")).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IQN: &str = "iqn.2010-10.org.openstack:volume-1";

    fn path(portal: &str) -> Path {
        Path { portal: portal.to_owned(), iqn: IQN.to_owned(), lun: 1 }
    }

    #[test]
    fn sessions_and_their_disks_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (root, kernel) = (folder.path(), Kernel::at(folder.path().to_owned()));
        assert_eq!(kernel.session(&path("10.0.0.1:3260")), None);
        stand_in::session(root, 1, "iqn.2010-10.org.openstack:volume-2", "10.0.0.1");
        stand_in::session(root, 2, IQN, "10.0.0.2");
        stand_in::session(root, 10, IQN, "10.0.0.1");
        stand_in::disk(root, 10, 1, "sdc");
        stand_in::disk(root, 10, 11, "sdd");
        let session = kernel.session(&path("10.0.0.1:3260")).unwrap();
        assert_eq!((&*session.portal, &*session.host), ("10.0.0.1:3260", "10"));
        assert_eq!(kernel.sessions(IQN).len(), 2);
        assert_eq!(session.disks(), [(1, "sdc".to_owned()), (11, "sdd".to_owned())]);
        assert_eq!(session.disk(11).as_deref(), Some("sdd"));
        assert_eq!(session.disk(2), None);
        assert!(kernel.scan(&session).exists());
        assert_eq!(kernel.session(&path("10.0.0.1:3261")), None);
    }

    #[test]
    fn a_map_is_multipaths_or_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let (root, kernel) = (folder.path(), Kernel::at(folder.path().to_owned()));
        stand_in::disk(root, 1, 1, "sda");
        for (map, id, name) in [("dm-0", "LVM-x", "group-volume"), ("dm-3", "mpath-36", "mpatha")] {
            fs::create_dir_all(root.join("block/sda/holders").join(map)).unwrap();
            let map = root.join("block").join(map).join("dm");
            fs::create_dir_all(&map).unwrap();
            fs::write(map.join("uuid"), id).unwrap();
            fs::write(map.join("name"), name).unwrap();
        }
        assert_eq!(kernel.map_of("sda").as_deref(), Some("dm-3"));
        assert_eq!(kernel.map_name("dm-3").as_deref(), Some("mpatha"));
        assert_eq!(kernel.map_of("sdb"), None);
    }
}
