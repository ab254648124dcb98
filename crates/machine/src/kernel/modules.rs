//! Which of a kernel's modules the appliance takes, and the order that they load in.
//!
//! What a module needs is read from the module itself (`depends=` in its `.modinfo`), not from
//! `modules.dep`, which a package that was only unpacked does not have.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::compression;
use crate::{Error, Result};

/// Modules that are loaded together, for one purpose.
struct Group {
    name: &'static str,
    /// Without these the appliance cannot work at all.
    required: &'static [&'static str],
    /// Taken where the kernel has them.
    wanted: &'static [&'static str],
}

/// `boot` is loaded at once, the others when a disk or a job asks for them: the file systems are
/// named as the appliance names what it finds. Checksums come first, the file systems ask for them
/// by algorithm and not by name (`softdep`).
const GROUPS: &[Group] = &[
    Group {
        name: ::appliance::BOOT,
        required: &["virtio_pci", "virtio_blk", "virtio_console"],
        wanted: &["virtio_rng"],
    },
    Group { name: ::appliance::NETWORK, required: &[], wanted: &["virtio_net"] },
    Group { name: "ext4", required: &["ext4"], wanted: &["crc32c_generic"] },
    Group { name: "xfs", required: &[], wanted: &["crc32c_generic", "xfs"] },
    Group {
        name: "btrfs",
        required: &[],
        wanted: &["crc32c_generic", "xxhash_generic", "blake2b_generic", "sha256_generic", "btrfs"],
    },
    Group {
        name: "vfat",
        required: &[],
        wanted: &["nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8", "vfat"],
    },
    Group { name: "iso9660", required: &[], wanted: &["isofs"] },
    Group { name: "lvm", required: &[], wanted: &["dm_mod"] },
];

/// The modules of one kernel.
pub(super) struct Modules {
    /// Each loadable module's file, by name.
    files: HashMap<String, PathBuf>,
    /// The names of those that are part of the kernel.
    builtin: HashSet<String>,
}

/// The modules that were picked.
#[derive(Default)]
pub(super) struct Picked {
    /// Their contents, decompressed, by name.
    pub(super) contents: BTreeMap<String, Vec<u8>>,
    /// The names of each group in the order of loading.
    pub(super) groups: BTreeMap<String, Vec<String>>,
}

impl Modules {
    /// Finds the modules below a kernel's module folder, as `/lib/modules/6.1.0`.
    pub(super) fn in_folder(folder: &Path) -> Result<Modules> {
        let mut files = HashMap::new();
        walk(&folder.join("kernel"), &mut files)?;
        let list = folder.join("modules.builtin");
        let text = fs::read_to_string(&list).map_err(Error::at(&list))?;
        let builtin = text.lines().filter_map(|line| name(Path::new(line))).collect();
        Ok(Modules { files, builtin })
    }

    /// Takes each group's modules and what they need.
    ///
    /// # Errors
    /// [`Error::KernelUnusable`] when a required one is missing.
    pub(super) fn pick(&self, folder: &Path) -> Result<Picked> {
        let mut picked = Picked::default();
        for group in GROUPS {
            let mut order = Vec::new();
            for module in group.required {
                if !self.has(module) {
                    let why = format!("the kernel has no {module}");
                    return Err(Error::KernelUnusable { path: folder.to_owned(), why });
                }
            }
            for module in group.required.iter().chain(group.wanted) {
                self.add(module, &mut order, &mut picked.contents)?;
            }
            picked.groups.insert(group.name.to_owned(), order);
        }
        Ok(picked)
    }

    fn has(&self, module: &str) -> bool {
        self.builtin.contains(module) || self.files.contains_key(module)
    }

    /// Adds a module after those it needs; one that is built in, or missing, adds nothing.
    fn add(
        &self,
        module: &str,
        order: &mut Vec<String>,
        contents: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<()> {
        let Some(file) = self.files.get(module) else { return Ok(()) };
        if order.iter().any(|known| known == module) {
            return Ok(());
        }
        if !contents.contains_key(module) {
            contents.insert(module.to_owned(), compression::read(file)?);
        }
        for needed in depends(&contents[module]) {
            self.add(&needed, order, contents)?;
        }
        order.push(module.to_owned());
        Ok(())
    }
}

fn walk(folder: &Path, files: &mut HashMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::at(folder))? {
        let entry = entry.map_err(Error::at(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(Error::at(&path))?.is_dir() {
            walk(&path, files)?;
        } else if let Some(name) = name(&path) {
            files.insert(name, path);
        }
    }
    Ok(())
}

/// A module's name by its file: `crc32c-intel.ko.xz` is `crc32c_intel`.
fn name(path: &Path) -> Option<String> {
    let (stem, _) = path.file_name()?.to_str()?.split_once(".ko")?;
    Some(stem.replace('-', "_"))
}

/// The `depends=` of `.modinfo`, whose entries end with a zero byte. No other section of a module
/// has this text behind a zero byte.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let list = module[at + KEY.len()..].split(|&byte| byte == 0).next().unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(modules: &[(&str, &str)], builtin: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let drivers = folder.path().join("kernel/drivers");
        fs::create_dir_all(&drivers).unwrap();
        for (name, depends) in modules {
            let content = format!("ELF\0license=GPL\0depends={depends}\0name=x\0");
            fs::write(drivers.join(name), content).unwrap();
        }
        fs::write(folder.path().join("modules.builtin"), builtin).unwrap();
        folder
    }

    #[test]
    fn a_module_comes_after_what_it_needs() {
        let folder = kernel(
            &[
                ("virtio.ko", ""),
                ("virtio_ring.ko", "virtio"),
                ("virtio_pci.ko", "virtio,virtio_ring"),
                ("virtio-rng.ko", "virtio"),
                ("virtio_blk.ko", "virtio_ring"),
            ],
            "kernel/drivers/char/virtio_console.ko\nkernel/fs/ext4/ext4.ko\n",
        );
        let picked = Modules::in_folder(folder.path()).unwrap().pick(folder.path()).unwrap();
        assert_eq!(
            picked.groups["boot"],
            ["virtio", "virtio_ring", "virtio_pci", "virtio_blk", "virtio_rng"]
        );
        assert!(picked.groups["ext4"].is_empty());
        assert_eq!(picked.contents.len(), 5);
    }

    #[test]
    fn a_kernel_without_virtio_is_refused() {
        let folder = kernel(&[("virtio_pci.ko", "")], "kernel/fs/ext4/ext4.ko\n");
        let error = Modules::in_folder(folder.path()).unwrap().pick(folder.path());
        let error = error.err().unwrap().to_string();
        assert!(error.contains("virtio_blk"), "{error}");
    }

    #[test]
    fn names_are_those_that_the_kernel_uses() {
        assert_eq!(name(Path::new("a/crc32c-intel.ko.zst")).unwrap(), "crc32c_intel");
        assert_eq!(name(Path::new("a/modules.order")), None);
    }
}
