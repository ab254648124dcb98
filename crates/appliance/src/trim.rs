//! Giving a file system's free blocks back to the disk image.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;
use rustix::ioctl::{Updater, ioctl, opcode};

use crate::failure::{Failure, Result};

/// `struct fstrim_range` of `linux/fs.h`.
#[repr(C)]
struct Range {
    start: u64,
    length: u64,
    smallest: u64,
}

/// `FITRIM` of `linux/fs.h`.
const FITRIM: rustix::ioctl::Opcode = opcode::read_write::<Range>(b'X', 121);

/// Discards all free blocks of the file system mounted at a place; one that cannot is left as it
/// is.
pub(crate) fn free_space(place: &Path) -> Result<()> {
    let what = || format!("trimming {}", place.display());
    let directory = File::open(place).map_err(Failure::doing(what()))?;
    let mut range = Range { start: 0, length: u64::MAX, smallest: 0 };
    // SAFETY: FITRIM reads and writes one `struct fstrim_range`, which `Range` is laid out as, and
    // keeps no pointer to it.
    let trimmed = unsafe { ioctl(&directory, Updater::<FITRIM, Range>::new(&mut range)) };
    match trimmed {
        Ok(()) | Err(Errno::NOTTY | Errno::OPNOTSUPP) => Ok(()),
        Err(why) => Err(Failure::doing(what())(why)),
    }
}
