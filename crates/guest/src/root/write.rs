//! Changing a guest's files: a file has its old content or its new one, never half of each.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Stat, Uid, XattrFlags, fchmod, fchown, fgetxattr, flistxattr,
    fsetxattr, fstat, mkdirat, openat, renameat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::{Kind, Place, Root};
use crate::{Error, Result};

/// SELinux's label of a file. A new file gets its directory's, as the kernel of the guest would
/// have done; without one it could not be read in enforcing mode.
const LABEL: &str = "security.selinux";

/// The kernel's limit for the value of an extended attribute: `xattr(7)`.
const ATTRIBUTE: usize = 64 << 10;

/// New directories: as every distribution's own.
const DIRECTORY: u32 = 0o755;

impl Root {
    /// Replaces a file's content. Mode, owner and extended attributes (SELinux labels, ACLs) stay
    /// as they are; a new file has mode 0644 and root's ownership. A link is followed inside the
    /// root. Missing directories are made.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
        self.write_new(path, content, 0o644)
    }

    /// As [`Root::write`], with another mode for a file that is new.
    pub fn write_new(
        &self,
        path: impl AsRef<Path>,
        content: impl AsRef<[u8]>,
        mode: u32,
    ) -> Result<()> {
        let path = path.as_ref();
        let (path, place) = match self.followed(path) {
            Err(Errno::NOENT) => {
                self.make_directories(path.parent().unwrap_or(Path::new("/")))?;
                self.followed(path)
            }
            found => found,
        }
        .map_err(Error::io("writing", path))?;
        self.forbid_other_kinds(&path)?;
        replace(&place, content.as_ref(), mode).map_err(Error::io("writing", path))
    }

    /// Makes a directory, and those above it, if it is not there.
    pub fn make_directories(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.file_name().is_none() || self.is_directory(path)? {
            return Ok(());
        }
        self.make_directories(path.parent().unwrap_or(Path::new("/")))?;
        self.place(path)
            .and_then(|place| {
                mkdirat(&place.parent, &place.name, Mode::from_raw_mode(DIRECTORY))?;
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let made = openat(&place.parent, &place.name, flags, Mode::empty())?;
                fchmod(&made, Mode::from_raw_mode(DIRECTORY))?;
                copy_attribute(&place.parent, &made, LABEL);
                Ok(())
            })
            .map_err(Error::io("making the directory", path))
    }

    /// Puts a symbolic link at a path, in the place of the file or link that was there.
    pub fn symlink(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.make_directories(path.parent().unwrap_or(Path::new("/")))?;
        self.place(path)
            .and_then(|place| {
                let temporary = place.temporary();
                discard(&place, &temporary)?;
                symlinkat(target.as_ref(), &place.parent, &temporary)?;
                place.take_over(&temporary)
            })
            .map_err(Error::io("linking", path))
    }

    /// Changes the permission bits of what a path leads to.
    pub fn chmod(&self, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        let path = path.as_ref();
        self.open_inside(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
            .and_then(|opened| fchmod(opened, Mode::from_raw_mode(mode)))
            .map_err(Error::io("changing the mode of", path))
    }

    /// A device, a pipe or a directory is not replaced by a file.
    fn forbid_other_kinds(&self, path: &Path) -> Result<()> {
        match self.link_metadata(path)? {
            None => Ok(()),
            Some(found) if found.kind == Kind::File => Ok(()),
            Some(_) => Err(Error::io("writing", path)(std::io::Error::other("not a file"))),
        }
    }
}

fn replace(place: &Place, content: &[u8], mode: u32) -> rustix::io::Result<()> {
    let temporary = place.temporary();
    discard(place, &temporary)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let new = openat(&place.parent, &temporary, flags, Mode::from_raw_mode(0o600))?;
    let written = fill(place, &new, content, mode);
    match written.and_then(|()| place.take_over(&temporary)) {
        Ok(()) => Ok(()),
        Err(why) => {
            // The first error is the one to tell; the leftover is overwritten the next time.
            let _ = discard(place, &temporary);
            Err(why)
        }
    }
}

fn fill(place: &Place, new: &OwnedFd, content: &[u8], mode: u32) -> rustix::io::Result<()> {
    let mut file = File::from(new.try_clone().map_err(errno)?);
    file.write_all(content).map_err(errno)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(&place.parent, &place.name, flags, Mode::empty()) {
        Ok(old) => inherit(&old, new),
        Err(Errno::NOENT) => {
            copy_attribute(&place.parent, new, LABEL);
            fchmod(new, Mode::from_raw_mode(mode))
        }
        Err(why) => Err(why),
    }
}

/// Gives a file what its predecessor had. The mode comes last: a change of owner clears bits.
fn inherit(old: &OwnedFd, new: &OwnedFd) -> rustix::io::Result<()> {
    let (before, now) = (fstat(old)?, fstat(new)?);
    if owner(&before) != owner(&now) {
        let (uid, gid) = owner(&before);
        fchown(new, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    let mut names = vec![0; ATTRIBUTE];
    let length = flistxattr(old, names.as_mut_slice()).unwrap_or(0);
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        copy_attribute(old, new, OsStr::from_bytes(name));
    }
    fchmod(new, Mode::from_raw_mode(before.st_mode & 0o7777))
}

fn owner(stat: &Stat) -> (u32, u32) {
    (stat.st_uid, stat.st_gid)
}

/// As far as the file system and our rights allow: there is no attribute that a guest without it
/// could not be repaired from.
fn copy_attribute(from: &OwnedFd, to: impl AsFd, name: impl AsRef<OsStr>) {
    let mut value = vec![0; ATTRIBUTE];
    if let Ok(length) = fgetxattr(from, name.as_ref(), value.as_mut_slice()) {
        let _ = fsetxattr(to, name.as_ref(), &value[..length], XattrFlags::empty());
    }
}

impl Place {
    /// A name beside the place, for what is to replace it.
    fn temporary(&self) -> std::ffi::OsString {
        let mut name = std::ffi::OsString::from(".");
        name.push(&self.name);
        name.push(".tintype-new");
        name
    }

    fn take_over(&self, temporary: &OsStr) -> rustix::io::Result<()> {
        renameat(&self.parent, temporary, &self.parent, &self.name)
    }
}

fn discard(place: &Place, name: &OsStr) -> rustix::io::Result<()> {
    match unlinkat(&place.parent, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn errno(why: std::io::Error) -> Errno {
    Errno::from_io_error(&why).unwrap_or(Errno::IO)
}
