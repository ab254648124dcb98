//! The guest's file systems, mounted, and unmounted in the opposite order.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::devices::Device;
use crate::failure::{Failure, Result};
use crate::{modules, trim};

/// Nothing in the guest gains privilege or devices by being mounted, and reading leaves no trace.
const FLAGS: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOATIME);

/// What is mounted, outermost first.
#[derive(Default)]
pub(crate) struct Mounts(Vec<PathBuf>);

impl Mounts {
    /// Mounts a device read-only, to look at it.
    pub(crate) fn look(
        &mut self,
        device: &Device,
        place: &Path,
        subvolume: Option<&str>,
    ) -> Result<()> {
        self.mount(device, place, subvolume, MountFlags::RDONLY)
    }

    /// Mounts a device for changes.
    pub(crate) fn open(
        &mut self,
        device: &Device,
        place: &Path,
        subvolume: Option<&str>,
    ) -> Result<()> {
        self.mount(device, place, subvolume, MountFlags::empty())
    }

    fn mount(
        &mut self,
        device: &Device,
        place: &Path,
        subvolume: Option<&str>,
        more: MountFlags,
    ) -> Result<()> {
        let kind = device.superblock.kind;
        let what = format!("mounting {} ({kind})", device.path.display());
        modules::load(kind)?;
        let options = subvolume.map(|name| format!("subvol={name}")).unwrap_or_default();
        let options = CString::new(options).map_err(Failure::doing(&what))?;
        mount(&device.path, place, kind, FLAGS | more, options.as_c_str())
            .map_err(Failure::doing(&what))?;
        self.0.push(place.to_owned());
        Ok(())
    }

    /// Lets what is looked at be changed.
    pub(crate) fn make_writable(&self, place: &Path) -> Result<()> {
        mount_remount(place, FLAGS, c"").map_err(Failure::doing("mounting the root for changes"))
    }

    /// Mounts a place below the root, wherever links inside the root lead.
    pub(crate) fn open_below(
        &mut self,
        root: &Path,
        inner: &Path,
        device: &Device,
        subvolume: Option<&str>,
    ) -> Result<()> {
        self.open(device, &resolved(root, inner)?, subvolume)
    }

    /// Tells the disk which blocks are free, on each file system that can.
    pub(crate) fn trim(&self) -> Result<()> {
        // Blocks are free only once the journal says so.
        rustix::fs::sync();
        self.0.iter().try_for_each(|place| trim::free_space(place))
    }

    /// Unmounts everything; what was written is on the disk afterwards.
    pub(crate) fn close(&mut self) -> Result<()> {
        while let Some(place) = self.0.pop() {
            unmount(&place, UnmountFlags::empty())
                .map_err(Failure::doing(format!("unmounting {}", place.display())))?;
        }
        Ok(())
    }
}

/// The true path of a place in the guest: its links are followed as if the root were `/`.
pub(crate) fn resolved(root: &Path, inner: &Path) -> Result<PathBuf> {
    let what = || inner.display().to_string();
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let directory = rustix::fs::open(root, flags, Mode::empty()).map_err(Failure::doing(what()))?;
    let place = openat2(&directory, inner, flags, Mode::empty(), ResolveFlags::IN_ROOT)
        .map_err(Failure::doing(what()))?;
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&place));
    fs::read_link(link).map_err(Failure::doing(what()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_the_hosts_root_stays_in_the_guest() {
        let root = std::env::temp_dir().join(format!("tintype-root-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/boot")).unwrap();
        let _ = fs::remove_file(root.join("boot"));
        std::os::unix::fs::symlink("/../../usr/boot", root.join("boot")).unwrap();
        let found = resolved(&root, Path::new("boot")).unwrap();
        assert_eq!(found, root.canonicalize().unwrap().join("usr/boot"));
        fs::remove_dir_all(root).unwrap();
    }
}
