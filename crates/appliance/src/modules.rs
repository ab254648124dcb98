//! The kernel's modules, loaded in groups.

use std::fs::{self, File};

use rustix::io::Errno;
use rustix::system::finit_module;

use crate::failure::{Failure, Result};

/// Loads a group's modules in their order; a group that is not there is built into the kernel, or
/// missing, and what needs it will say so.
pub(crate) fn load(group: &str) -> Result<()> {
    let list = format!("/{}", appliance::MODULE_GROUPS);
    let text = fs::read_to_string(&list).map_err(Failure::doing(&list))?;
    for module in members(&text, group) {
        load_one(module)?;
    }
    Ok(())
}

fn members<'a>(text: &'a str, group: &str) -> impl Iterator<Item = &'a str> {
    let line = text.lines().find(|line| line.split(' ').next() == Some(group));
    line.into_iter().flat_map(|line| line.split_whitespace().skip(1))
}

fn load_one(module: &str) -> Result<()> {
    let path = format!("/modules/{module}.ko");
    let file = File::open(&path).map_err(Failure::doing(&path))?;
    match finit_module(&file, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(why) => Err(Failure::doing(format!("loading {module}"))(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_its_line() {
        let text = "boot virtio virtio_ring\next4 \nxfs libcrc32c xfs\n";
        assert_eq!(members(text, "xfs").collect::<Vec<_>>(), ["libcrc32c", "xfs"]);
        assert_eq!(members(text, "ext4").count(), 0);
        assert_eq!(members(text, "zfs").count(), 0);
    }
}
