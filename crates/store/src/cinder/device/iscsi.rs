//! Volumes by iSCSI, which open-iscsi logs in to and the kernel shows as disks: as os-brick's `iscsi`
//! connector reaches them. What this host has is looked up in sysfs, and never remembered: so what a
//! process has left that was killed is found as well.

mod admin;
mod sysfs;
mod target;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex as Held, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::super::attached::Multipath;
use super::super::attachment::Mode;
use super::super::session::Session;
use super::local::{Local, Shape};
use super::tool::Tools;
use super::turns::Turns;
use super::{Connection, Device, Way, Writer};
use crate::blocking::blocking;
use crate::{Data, Result};

use admin::Admin;
use sysfs::Kernel;
use target::{Chap, Path, Volume};

/// The pause between two looks at what the kernel has.
const LOOK: Duration = Duration::from_millis(100);

/// How long a session, a disk or its size may take to be there, or a disk to be gone: as in os-brick.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long until the kernel is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// How long multipathd may take to make a map of disks that are there.
const MAPPED: Duration = Duration::from_secs(10);

/// How long udev may take to let the service's user open a disk.
const ALLOWED: Duration = Duration::from_secs(5);

/// How long udev may look at a disk, which it locks for that.
const LOOKED_AT: Duration = Duration::from_secs(3);

/// How often a map is removed that is still in use.
const REMOVALS: u32 = 5;

/// One of this process logs in to a target or out of it, for whichever store.
static TURNS: LazyLock<Turns> = LazyLock::new(Turns::default);

/// The targets that volumes are units of.
pub(super) struct Targets {
    multipath: Multipath,
    host: Initiator,
    /// The disks of this process, by their attachments: each locked as one that is in use, for other
    /// processes that read the same volume.
    used: Held<HashMap<Uuid, File>>,
}

/// This host, as it reaches targets. Clones are the same one.
#[derive(Clone)]
struct Initiator {
    kernel: Kernel,
    /// Where disks are.
    devices: PathBuf,
    admin: Admin,
}

impl Targets {
    pub(super) fn new(multipath: Multipath, tools: Tools) -> Self {
        Self::at(multipath, Kernel::of_system(), "/dev".into(), tools)
    }

    fn at(multipath: Multipath, kernel: Kernel, devices: PathBuf, tools: Tools) -> Self {
        let host = Initiator { kernel, devices, admin: Admin::new(tools) };
        Self { multipath, host, used: Held::default() }
    }

    /// Has a volume's disk; its name in `/dev`. Errors, in words: it can't be had.
    async fn disk(&self, volume: &Volume) -> Result<String, String> {
        if self.goes_several_ways().await? {
            return self.mapped(volume).await;
        }
        let mut last = None;
        for path in &volume.paths {
            match self.host.attach(path, volume.chap.as_ref()).await {
                Ok(disk) => return Ok(disk),
                Err(why) => last = Some(why),
            }
        }
        Err(last.unwrap_or_else(|| "there is no way to the volume".to_owned()))
    }

    /// Whether a volume is reached by all ways at once.
    async fn goes_several_ways(&self) -> Result<bool, String> {
        if !self.multipath.wanted {
            return Ok(false);
        }
        match self.host.admin.multipathd_runs().await {
            Ok(()) => Ok(true),
            Err(why) if self.multipath.enforced => Err(format!(
                "multipathd does not run ({why}), and cinder_enforce_multipath asks for it"
            )),
            Err(why) => {
                tracing::warn!(why, "multipathd does not run: volumes are reached by one way");
                Ok(false)
            }
        }
    }

    /// The map of all disks that a volume is, by all ways that work.
    async fn mapped(&self, volume: &Volume) -> Result<String, String> {
        let mut paths = volume.paths.clone();
        if let [only] = volume.paths.as_slice() {
            match self.host.admin.portals(only).await {
                Ok(others) => paths.extend(others),
                Err(why) => tracing::debug!(why, "a target does not tell its portals"),
            }
        }
        let chap = volume.chap.as_ref();
        let attached = join_all(paths.iter().map(|path| self.host.attach(path, chap))).await;
        let (disks, failures): (Vec<_>, Vec<_>) = attached.into_iter().partition(Result::is_ok);
        let disks: Vec<String> = disks.into_iter().flatten().collect();
        for why in failures.iter().filter_map(|failure| failure.as_ref().err()) {
            tracing::warn!(why, "a volume is not reached by one of its ways");
        }
        let Some(first) = disks.first() else {
            let why = failures.into_iter().find_map(Result::err);
            return Err(why.unwrap_or_else(|| "there is no way to the volume".to_owned()));
        };
        for disk in &disks {
            if self.host.kernel.map_of(disk).is_none()
                && let Err(why) = self.host.admin.add_path(disk).await
            {
                tracing::debug!(why, disk, "multipathd does not take a disk");
            }
        }
        let map = || disks.iter().find_map(|disk| self.host.kernel.map_of(disk));
        match until(MAPPED, map).await {
            Some(map) => Ok(map),
            None if self.multipath.enforced => Err(format!(
                "multipathd makes no map of {}, and cinder_enforce_multipath asks for one",
                disks.join(" and ")
            )),
            None => {
                tracing::warn!(
                    disks = disks.join(" "),
                    "multipathd makes no map: one disk is used"
                );
                Ok(first.clone())
            }
        }
    }
}

impl Targets {
    fn used(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, File>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Initiator {
    /// Has the disk of one way to a volume.
    async fn attach(&self, path: &Path, chap: Option<&Chap>) -> Result<String, String> {
        let _turn = TURNS.at(&turn(path)).await;
        if self.kernel.session(path).is_none() {
            self.admin.log_in(path, chap).await?;
        }
        let session = until(PATIENCE, || self.kernel.session(path)).await;
        let Path { portal, iqn, lun } = path;
        let session =
            session.ok_or_else(|| format!("there is no session with {iqn} at {portal}"))?;
        if let Some(disk) = session.disk(*lun) {
            // Of somebody who was here before: what they know of its size may be over.
            self.admin.tell(&self.kernel.attribute(&disk, "rescan"), "1").await?;
            return Ok(disk);
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            // Any channel and target of this host, which is the session alone.
            self.admin.tell(&self.kernel.scan(&session), &format!("- - {lun}")).await?;
            if let Some(disk) = until(AGAIN, || session.disk(*lun)).await {
                return Ok(disk);
            }
        }
        Err(format!("the target {iqn} at {portal} has no disk with the number {lun}"))
    }

    /// Has the kernel learn how large a volume is by now.
    async fn measure(&self, volume: &Volume) -> Result<(), String> {
        for (session, path) in self.paths(volume) {
            let Some(disk) = session.disk(path.lun) else { continue };
            self.admin.tell(&self.kernel.attribute(&disk, "rescan"), "1").await?;
            let map = self.kernel.map_of(&disk).and_then(|map| self.kernel.map_name(&map));
            if let Some(map) = map {
                self.admin.resize_map(&map).await?;
            }
        }
        Ok(())
    }

    /// Whether a disk that was opened is the volume. What is open keeps its name.
    fn is_of(&self, volume: &Volume, disk: &str, opened: &File) -> bool {
        let names = |disk_of: String| self.kernel.map_of(&disk_of).into_iter().chain([disk_of]);
        let disks = self.paths(volume).into_iter();
        let mut disks = disks.filter_map(|(session, path)| session.disk(path.lun));
        let is_named = disks.any(|found| names(found).any(|name| name == disk));
        let number = rustix::fs::fstat(opened).map(|opened| opened.st_rdev);
        is_named && number.is_ok_and(|number| self.kernel.number(disk) == Some(number))
    }

    /// All ways by which this host has a volume.
    fn paths(&self, volume: &Volume) -> Vec<(sysfs::Session, Path)> {
        let mut paths: Vec<(sysfs::Session, Path)> = Vec::new();
        for Path { iqn, .. } in &volume.paths {
            for session in self.kernel.sessions(iqn) {
                let Some(lun) = volume.unit_at(iqn, &session.portal) else { continue };
                let path = Path { portal: session.portal.clone(), iqn: iqn.clone(), lun };
                if !paths.iter().any(|(_, known)| *known == path) {
                    paths.push((session, path));
                }
            }
        }
        paths
    }

    /// Lets go of a volume by all ways, unless another process has it too, which does so later. Errors,
    /// in words: it is still in use.
    async fn detach(&self, volume: &Volume) -> Result<(), String> {
        let paths = self.paths(volume);
        for disk in paths.iter().filter_map(|(session, path)| session.disk(path.lun)) {
            let map = self.kernel.map_of(&disk);
            for device in [Some(&disk), map.as_ref()].into_iter().flatten() {
                if self.is_used(device).await? {
                    return Ok(());
                }
            }
        }
        for (session, path) in &paths {
            let map = session.disk(path.lun).and_then(|disk| self.kernel.map_of(&disk));
            if let Some(map) = map {
                self.remove_map(&map).await?;
            }
        }
        for (_, path) in &paths {
            self.detach_path(path).await?;
        }
        let was_there = |path: &Path| paths.iter().any(|(session, _)| path.is_at(&session.portal));
        for path in volume.paths.iter().filter(|path| !was_there(path)) {
            let _turn = TURNS.at(&turn(path)).await;
            // Of a log-in that failed there is a record.
            if self.kernel.session(path).is_none()
                && let Err(why) = self.admin.log_out(path).await
            {
                tracing::debug!(why, "nothing is forgotten of a target");
            }
        }
        Ok(())
    }

    async fn detach_path(&self, path: &Path) -> Result<(), String> {
        let _turn = TURNS.at(&turn(path)).await;
        // Whoever had the turn before may have ended the session, and the next one begun another.
        let Some(session) = self.kernel.session(path) else { return Ok(()) };
        if let Some(disk) = session.disk(path.lun) {
            self.admin.tell(&self.kernel.attribute(&disk, "delete"), "1").await?;
            let gone = until(PATIENCE, || session.disk(path.lun).is_none().then_some(())).await;
            gone.ok_or_else(|| format!("the disk {disk} does not go"))?;
        }
        // Other units are other volumes', perhaps of other programs.
        if session.disks().is_empty()
            && let Err(why) = self.admin.log_out(path).await
        {
            tracing::warn!(why, "a session without disks stays");
        }
        Ok(())
    }

    /// Whether another process says that a disk is in use. Errors, in words: that can't be known.
    async fn is_used(&self, disk: &str) -> Result<bool, String> {
        let (store, path) = (String::new(), self.devices.join(disk));
        let local = Local { store, path, shape: Shape::Disk };
        let began = Instant::now();
        loop {
            let opening = local.clone();
            let locked = blocking(move || {
                let file = opening.open(Mode::Read)?;
                Ok(flock(&file, FlockOperation::NonBlockingLockExclusive)?)
            });
            let locked: io::Result<()> = locked.await;
            let Err(error) = locked else { return Ok(false) };
            match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::WOULDBLOCK) if began.elapsed() < LOOKED_AT => sleep(LOOK).await,
                Some(Errno::WOULDBLOCK) => return Ok(true),
                // It is gone, or has lost its target.
                Some(Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::IO) => return Ok(false),
                _ => {
                    return Err(format!("whether the disk {disk} is in use is not known: {error}"));
                }
            }
        }
    }

    async fn remove_map(&self, map: &str) -> Result<(), String> {
        let Some(name) = self.kernel.map_name(map) else { return Ok(()) };
        for attempt in 1..=REMOVALS {
            match self.admin.remove_map(&name).await {
                Err(why) if attempt == REMOVALS => return Err(why),
                Err(_) if self.kernel.has(map) => sleep(LOOK * 10).await,
                _ => break,
            }
        }
        Ok(())
    }
}

/// What has one turn at a time.
fn turn(path: &Path) -> String {
    format!("{} {}", path.iqn, path.portal)
}

/// Looks until there is something, or it has taken too long.
async fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        match look() {
            None if began.elapsed() < patience => sleep(LOOK).await,
            found => return found,
        }
    }
}

#[async_trait]
impl Way for Targets {
    fn kind(&self) -> &'static str {
        "iscsi"
    }

    async fn connect(
        &self,
        session: &Session,
        connection: &Connection,
        mode: Mode,
    ) -> Result<Arc<dyn Device>> {
        let volume = Volume::of(&connection.to).map_err(|why| session.failing(why))?;
        let disk = self.disk(&volume).await.map_err(|why| session.failing(why))?;
        let (store, path) = (session.store.clone(), self.host.devices.join(&disk));
        let local = Local { store, path, shape: Shape::Disk };
        let used = usable(&local, mode).await.map_err(|error| {
            let mut why = format!("the disk /dev/{disk} can't be opened: {error}");
            if error.kind() == io::ErrorKind::PermissionDenied {
                why += "; a rule of udev gives disks of iSCSI to the service's user, as \
                        docs/operating.md says";
            }
            session.failing(why)
        })?;
        if !self.host.is_of(&volume, &disk, &used) {
            let why = format!("/dev/{disk} has become another disk while it was opened");
            return Err(session.failing(why));
        }
        self.used().insert(connection.attachment, used);
        Ok(Arc::new(Disk { local, volume, host: self.host.clone() }))
    }

    async fn disconnect(&self, session: &Session, connection: &Connection) -> Result<()> {
        // Whatever has no sound name was never reached.
        let Ok(volume) = Volume::of(&connection.to) else { return Ok(()) };
        let used = self.used().remove(&connection.attachment);
        // The last to close a disk waits for what was written to it.
        blocking(move || drop(used)).await;
        self.host.detach(&volume).await.map_err(|why| session.failing(why))
    }
}

/// Waits until this process may open a disk, and says that it is in use.
async fn usable(local: &Local, mode: Mode) -> io::Result<File> {
    let began = Instant::now();
    loop {
        let opening = local.clone();
        let opened = blocking(move || {
            let file = opening.open(mode)?;
            flock(&file, FlockOperation::NonBlockingLockShared)?;
            Ok(file)
        });
        let comes = |error: &io::Error| {
            use io::ErrorKind::{NotFound, PermissionDenied, WouldBlock};
            matches!(error.kind(), PermissionDenied | NotFound | WouldBlock)
        };
        match opened.await {
            Err(error) if comes(&error) && began.elapsed() < ALLOWED => sleep(LOOK).await,
            opened => return opened,
        }
    }
}

/// A volume that is a disk of this host.
struct Disk {
    local: Local,
    volume: Volume,
    host: Initiator,
}

#[async_trait]
impl Device for Disk {
    async fn read(&self, range: Range<u64>) -> Result<Data> {
        self.local.read(range).await
    }

    /// A volume that has grown has the size of before, until the kernel asks for it.
    async fn write(&self, room: u64) -> Result<Box<dyn Writer>> {
        let began = Instant::now();
        while self.local.length().await? < room && began.elapsed() < PATIENCE {
            if let Err(why) = self.host.measure(&self.volume).await {
                let (store, why) = (self.local.store.clone(), format!("a volume has grown: {why}"));
                return Err(crate::Error::Unavailable { store, why });
            }
            sleep(LOOK).await;
        }
        self.local.write(room).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path as Folder;

    use super::super::tool::stand_in::program;
    use super::sysfs::stand_in::{disk, session};
    use super::*;

    const IQN: &str = "iqn.2010-10.org.openstack:shared";

    fn volume(lun: u64) -> Volume {
        let path = Path { portal: "10.0.0.1:3260".into(), iqn: IQN.into(), lun };
        Volume { paths: vec![path], chap: None }
    }

    /// A host whose tools do to its sysfs what the kernel would do, and note what they are asked.
    fn host(root: &Folder, multipath: Multipath) -> Targets {
        let shown = root.display();
        program(
            root,
            "iscsiadm",
            &format!(
                "echo \"iscsiadm $*\" >>{shown}/asked\n\
                 case $* in *-u) rm -r {shown}/class/iscsi_session/*;; esac"
            ),
        );
        program(root, "multipathd", "exit 1");
        program(
            root,
            "tee",
            &format!(
                "value=$(cat); echo \"tee ${{1#{shown}/}} $value\" >>{shown}/asked\n\
                 case $1 in */delete) device=$(readlink -f \"${{1%/delete}}\"); rm -r \"$device\";; esac"
            ),
        );
        let (kernel, devices) = (Kernel::at(root.to_owned()), root.join("dev"));
        Targets::at(multipath, kernel, devices, Tools::of_folder(root))
    }

    fn asked(root: &Folder) -> Vec<String> {
        let asked = fs::read_to_string(root.join("asked")).unwrap_or_default();
        fs::write(root.join("asked"), "").unwrap();
        asked.lines().map(str::to_owned).collect()
    }

    const ONE_WAY: Multipath = Multipath { wanted: false, enforced: false };

    #[tokio::test]
    async fn a_session_ends_with_its_last_disk() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        session(root, 3, IQN, "10.0.0.1");
        disk(root, 3, 1, "sda");
        disk(root, 3, 2, "sdb");
        let targets = host(root, ONE_WAY);
        targets.host.detach(&volume(1)).await.unwrap();
        assert_eq!(asked(root), ["tee block/sda/device/delete 1"]);
        targets.host.detach(&volume(2)).await.unwrap();
        let node = format!("iscsiadm -m node -T {IQN} -p 10.0.0.1:3260");
        let expected = [
            "tee block/sdb/device/delete 1".to_owned(),
            format!("{node} -u"),
            format!("{node} -o delete"),
        ];
        assert_eq!(asked(root), expected);
    }

    #[tokio::test]
    async fn a_disk_that_is_there_is_measured_anew() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        session(root, 3, IQN, "10.0.0.1");
        disk(root, 3, 1, "sda");
        let targets = host(root, ONE_WAY);
        assert_eq!(targets.disk(&volume(1)).await.unwrap(), "sda");
        assert_eq!(asked(root), ["tee block/sda/device/rescan 1"]);
        targets.host.measure(&volume(1)).await.unwrap();
        assert_eq!(asked(root), ["tee block/sda/device/rescan 1"]);
    }

    #[tokio::test]
    async fn multipath_is_done_without_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        session(root, 3, IQN, "10.0.0.1");
        disk(root, 3, 1, "sda");
        let wanted = host(root, Multipath { wanted: true, enforced: false });
        assert_eq!(wanted.disk(&volume(1)).await.unwrap(), "sda");
        let enforced = host(root, Multipath { wanted: true, enforced: true });
        let why = enforced.disk(&volume(1)).await.unwrap_err();
        assert!(why.contains("multipathd does not run"), "{why}");
    }
}
